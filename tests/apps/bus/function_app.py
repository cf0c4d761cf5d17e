"""Service Bus triggers, for the tests of the listener."""

import json
import os
import time
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp()


@app.service_bus_queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="SLIPS")
def note(msg: func.ServiceBusMessage) -> None:
    """Appends what arrived to a file; raises on `bad` until its third delivery."""
    body = msg.get_body().decode()
    facts = {
        "body": body,
        "at": time.time(),
        "messageId": msg.message_id,
        "deliveryCount": msg.delivery_count,
        "enqueued": str(msg.enqueued_time_utc),
        "properties": msg.application_properties,
    }
    with open(os.environ["NOTES"], "a", encoding="utf-8") as file:
        file.write(json.dumps(facts) + "\n")
    if body == "bad" and (msg.delivery_count or 0) < 3:
        raise ValueError("not yet")
    if body == "slow":
        meet(4)


def meet(count: int) -> None:
    """Wait until so many are handled at once, and note how many have met."""
    met = 0
    for _ in range(200):
        lines = Path(os.environ["NOTES"]).read_text(encoding="utf-8").splitlines()
        met = sum('"body": "slow"' in line for line in lines)
        if met >= count:
            break
        time.sleep(0.05)
    with open(os.environ["NOTES"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"body": "met", "count": met}) + "\n")
