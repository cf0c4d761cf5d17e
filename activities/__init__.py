"""Activities: one request to the world each, every one safe to repeat, a dict in and a dict out.

`ACTIVITIES` is the table by which function_app registers them and orchestrations name them.
"""

from collections.abc import Callable

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

ACTIVITIES: dict[str, Callable[[dict], dict]] = {
    activity.__name__: activity
    for activity in (
        alerts.alert,
        configuration.compare_gateways,
        configuration.fingerprint_gateway,
        gateway.observe_gateway,
        gateway.promote_gateway,
        gateway.verify_gateway,
        hook.call_hook,
        manifests.list_manifests,
        manifests.mark_proven,
        manifests.prune_backups,
        manifests.verify_backup_blob,
        manifests.write_manifest,
        observers.control_arm,
        observers.control_http,
        observers.observe_gateway_status,
        observers.observe_health,
        observers.observe_lease,
        observers.observe_traffic_manager,
        pipeline.ask_operation,
        pipeline.begin_backup,
        pipeline.begin_restore,
        pipeline.check_gateway,
        plans.load_plan,
        plans.read_watch,
        plans.write_watch,
        slips.poison_slip,
        slips.send_slip,
        traffic.observe_traffic,
        traffic.promote_traffic,
        traffic.verify_traffic,
        witness.advance_run,
        witness.claim_epoch,
        witness.finish_run,
        witness.halt_run,
        witness.read_witness,
        witness.renew_lease,
        witness.reserve_run,
        workflow.demote_workflow,
        workflow.observe_workflow,
        workflow.promote_workflow,
    )
}
