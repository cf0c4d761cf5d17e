"""Kinds: what a component can be told to do, in which stage, and by which activity.

Adding a kind is a row here, a module in activities/, a provider in rehearsal/providers/ and
options in shared/plan_kinds.py. Beyond the verbs of a run a kind may have `check`, which readiness
asks of it.
"""

from typing import NamedTuple


class Verb(NamedTuple):
    """One verb of a kind. `stage` is None for what any stage may ask, and for a component that
    names its own stage. `both`: its task holds the other location too, as `away`, and its side, as
    `other` of the component. `own`: it sees something only in the location's own app."""

    stage: str | None
    activity: str
    both: bool = False
    own: bool = False


# A step that a keeper must not take again by itself after the run: it was done once, by order.
ONCE = (
    "http",
    "deployment",
    "serviceBusAlias",
    "eventHubsAlias",
    "storageAccount",
    "sqlFailoverGroup",
    "cosmosDb",
)
# Of these, what no undo takes back: where it went it stays until it is moved the other way.
ONE_WAY = tuple(kind for kind in ONCE if kind not in ("http", "deployment"))
# Whose mirror changes what the active location has, too; and as there may be one for each resource,
# one of them has its turn in a round.
BOTH_SIDES = ("diagnosticSetting",)
# Whose promote is never seen to succeed: it is on its way, and then it is found done.
UNSEEN = ("plan",)


KINDS: dict[str, dict[str, Verb]] = {
    "logicWorkflow": {
        "observe": Verb(None, "observe_workflow"),
        "demote": Verb("fence", "demote_workflow"),
        "promote": Verb("activate", "promote_workflow"),
        "verify": Verb("verify", "observe_workflow"),
        "undo": Verb(None, "demote_workflow"),
        "drain": Verb("quiesce", "drain_workflow"),
        "transfer": Verb("quiesce", "transfer_workflow"),
        "protect": Verb("protect", "demote_workflow"),
    },
    "logicAppWorkflow": {
        "observe": Verb(None, "observe_logic_app_workflow"),
        "demote": Verb("fence", "demote_logic_app_workflow"),
        "promote": Verb("activate", "promote_logic_app_workflow"),
        "verify": Verb("verify", "observe_logic_app_workflow"),
        "undo": Verb(None, "demote_logic_app_workflow"),
        "drain": Verb("quiesce", "drain_logic_app_workflow"),
        "protect": Verb("protect", "demote_logic_app_workflow"),
        "check": Verb(None, "check_logic_app_workflow", both=True, own=True),
    },
    "functionApp": {
        "observe": Verb(None, "observe_function_app"),
        "demote": Verb("fence", "demote_function_app"),
        "promote": Verb("activate", "promote_function_app"),
        "verify": Verb("verify", "observe_function_app"),
        "undo": Verb(None, "demote_function_app"),
        "protect": Verb("protect", "demote_function_app"),
        "check": Verb(None, "check_function_app", both=True),
    },
    "apiConnection": {
        "observe": Verb(None, "observe_connection"),
        "promote": Verb("promote", "promote_connection"),
        "verify": Verb("verify", "observe_connection"),
        "check": Verb(None, "check_connection", both=True),
    },
    "dataGateway": {
        "observe": Verb(None, "observe_data_gateway"),
        "verify": Verb("verify", "observe_data_gateway"),
        "check": Verb(None, "check_data_gateway", both=True),
    },
    "diagnosticSetting": {
        "observe": Verb(None, "observe_diagnostics"),
        "promote": Verb("promote", "promote_diagnostics"),
        "verify": Verb("verify", "observe_diagnostics"),
        "mirror": Verb(None, "mirror_diagnostics", both=True),
        "check": Verb(None, "check_diagnostics", both=True),
    },
    "apiManagement": {
        "observe": Verb(None, "observe_gateway"),
        "promote": Verb("promote", "promote_gateway"),
        "verify": Verb("verify", "verify_gateway"),
    },
    "trafficManager": {
        "observe": Verb(None, "observe_traffic"),
        "promote": Verb("redirect", "promote_traffic"),
        "verify": Verb("verify", "verify_traffic"),
        "undo": Verb(None, "promote_traffic"),
    },
    "serviceBusAlias": {
        "observe": Verb(None, "observe_alias"),
        "promote": Verb("promote", "promote_alias", both=True),
        "verify": Verb("verify", "observe_alias"),
        "protect": Verb("protect", "protect_alias", both=True),
        "check": Verb(None, "check_alias"),
    },
    "eventHubsAlias": {
        "observe": Verb(None, "observe_alias"),
        "promote": Verb("promote", "promote_alias", both=True),
        "verify": Verb("verify", "observe_alias"),
        "protect": Verb("protect", "protect_alias", both=True),
        "check": Verb(None, "check_alias"),
    },
    "integrationAccount": {
        "observe": Verb(None, "observe_account"),
        "promote": Verb("promote", "promote_account", both=True),
        "verify": Verb("verify", "verify_account"),
        "mirror": Verb(None, "mirror_account", both=True),
        "check": Verb(None, "check_account", own=True),
    },
    "storageAccount": {
        "observe": Verb(None, "observe_storage"),
        "promote": Verb("promote", "promote_storage"),
        "verify": Verb("verify", "observe_storage"),
        "protect": Verb("protect", "protect_storage"),
        "check": Verb(None, "check_storage"),
    },
    "sqlFailoverGroup": {
        "observe": Verb(None, "observe_failover_group"),
        "promote": Verb("promote", "promote_failover_group"),
        "verify": Verb("verify", "observe_failover_group"),
        "undo": Verb(None, "promote_failover_group"),
        "check": Verb(None, "check_failover_group"),
    },
    "cosmosDb": {
        "observe": Verb(None, "observe_cosmos"),
        "promote": Verb("promote", "promote_cosmos", both=True),
        "verify": Verb("verify", "observe_cosmos"),
        "undo": Verb(None, "promote_cosmos"),
        "protect": Verb("protect", "protect_cosmos"),
        "check": Verb(None, "check_cosmos"),
    },
    "http": {
        "promote": Verb(None, "call_hook"),
        "verify": Verb("verify", "call_hook"),
        "check": Verb(None, "check_hook", own=True),
    },
    "batch": {
        "observe": Verb(None, "observe_batch"),
        "demote": Verb("fence", "demote_batch"),
        "promote": Verb("activate", "promote_batch"),
        "verify": Verb("verify", "observe_batch"),
        "undo": Verb(None, "demote_batch"),
        "protect": Verb("protect", "demote_batch"),
        "check": Verb(None, "check_batch", both=True),
    },
    "plan": {
        "observe": Verb(None, "observe_child"),
        "promote": Verb(None, "promote_child"),
        "undo": Verb(None, "promote_child"),
        "check": Verb(None, "check_child"),
    },
    "manual": {
        "observe": Verb(None, "observe_person"),
        "promote": Verb(None, "ask_person"),
    },
    "deployment": {
        "observe": Verb(None, "observe_layer"),
        "promote": Verb("promote", "promote_layer"),
        "check": Verb(None, "check_layer", own=True),
    },
    "dataFactory": {
        "observe": Verb(None, "observe_factory"),
        "demote": Verb("fence", "demote_factory"),
        "promote": Verb("activate", "promote_factory"),
        "verify": Verb("verify", "observe_factory"),
        "undo": Verb(None, "demote_factory"),
        "protect": Verb("protect", "demote_factory"),
        "check": Verb(None, "check_factory", both=True),
    },
    "scaleSet": {
        "observe": Verb(None, "observe_scale_set"),
        "demote": Verb("fence", "demote_scale_set"),
        "promote": Verb("activate", "promote_scale_set"),
        "verify": Verb("verify", "observe_scale_set"),
        "undo": Verb(None, "demote_scale_set"),
        "protect": Verb("protect", "demote_scale_set"),
        "check": Verb(None, "check_scale_set", both=True),
    },
}


def one_way(part: object) -> bool:
    """Does this component move, in a run, what no undo takes back?"""
    stays = getattr(part, "failover", "") == "none"
    return getattr(part, "kind", "") in ONE_WAY and not stays
