"""Activities: one request to the world each, one module per kind.

Two tables name them all: an activity's parameter is `payload`, a kind's verb takes a `task`.
"""

from activities import (
    alerts,
    configuration,
    gateway,
    hook,
    manifests,
    observers,
    pipeline,
    plans,
    slips,
    traffic,
    witness,
    workflow,
)

PAYLOADS = (
    plans.load_plan,
    plans.read_watch,
    plans.write_watch,
    witness.read_witness,
    witness.reserve_run,
    witness.claim_epoch,
    witness.advance_run,
    witness.finish_run,
    witness.halt_run,
    slips.send_slip,
    alerts.alert,
    observers.observe_health,
    observers.observe_gateway_status,
    observers.observe_traffic_manager,
    observers.observe_lease,
    observers.control_arm,
    observers.control_http,
    configuration.fingerprint_gateway,
    configuration.compare_gateways,
    pipeline.check_gateway,
    pipeline.begin_backup,
    pipeline.begin_restore,
    pipeline.ask_operation,
    manifests.verify_backup_blob,
    manifests.write_manifest,
    manifests.list_manifests,
    manifests.prune_backups,
    manifests.mark_proven,
)
TASKS = (
    workflow.observe_workflow,
    workflow.promote_workflow,
    workflow.demote_workflow,
    gateway.observe_gateway,
    gateway.promote_gateway,
    gateway.verify_gateway,
    traffic.observe_traffic,
    traffic.promote_traffic,
    traffic.verify_traffic,
    hook.call_hook,
)
