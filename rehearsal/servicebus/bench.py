"""`python -m rehearsal.servicebus.bench`: what one unmodified client gets out of a player, as JSON.

Bodies of 1 KB; a player in a process of its own, on a new database, stopped at the end.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusReceiver

BODY = b"x" * 1024
BATCH, BATCHES, ONE_BY_ONE, ROUND_TRIPS = 100, 60, 1_000, 300
READY_SECONDS_MAX, WAIT_SECONDS = 20, 5
PAUSE_SECONDS = 0.02


@contextmanager
def running_player(folder: Path) -> Iterator[dict]:
    """A player of its own on the database in `folder`; yields what its ready file says."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "rehearsal.servicebus", "--namespace", "bench"]
    command += ["--db", str(folder / "bench.db"), "--ready-file", str(ready)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for _ in range(int(READY_SECONDS_MAX / PAUSE_SECONDS)):
            if ready.exists():
                break
            time.sleep(PAUSE_SECONDS)
        yield json.loads(ready.read_text())
    finally:
        process.terminate()
        process.wait(timeout=READY_SECONDS_MAX)


def make_queue(player: dict, name: str) -> None:
    url = f"{player['admin']}/queues/{name}"
    request = urllib.request.Request(url, json.dumps({"properties": {}}).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=READY_SECONDS_MAX).close()


def batched_per_second(client: ServiceBusClient) -> float:
    """Messages per second, sent in batches."""
    with client.get_queue_sender("batches") as sender:
        messages = [ServiceBusMessage(BODY) for _ in range(BATCH)]
        sender.send_messages(messages)
        began = time.perf_counter()
        for _ in range(BATCHES - 1):
            sender.send_messages(messages)
        return BATCH * (BATCHES - 1) / (time.perf_counter() - began)


def received_per_second(client: ServiceBusClient) -> float:
    """Messages per second, received a batch at a time and completed one by one."""
    with client.get_queue_receiver("batches", max_wait_time=WAIT_SECONDS) as receiver:
        count = drain(receiver, 1)
        began = time.perf_counter()
        got = drain(receiver, BATCHES - 1)
        seconds = time.perf_counter() - began
        assert count + got == BATCH * BATCHES, "messages are missing"
        return got / seconds


def drain(receiver: ServiceBusReceiver, batches: int) -> int:
    """Receive and complete that many batches; a short one is filled up from the next."""
    done = 0
    for _ in range(batches * BATCH):
        for message in receiver.receive_messages(min(BATCH, batches * BATCH - done)):
            receiver.complete_message(message)
            done += 1
        if done == batches * BATCH:
            break
    return done


def one_by_one_per_second(client: ServiceBusClient) -> float:
    with client.get_queue_sender("single") as sender:
        began = time.perf_counter()
        for _ in range(ONE_BY_ONE):
            sender.send_messages(ServiceBusMessage(BODY))
        return ONE_BY_ONE / (time.perf_counter() - began)


def round_trips_ms(client: ServiceBusClient) -> list[float]:
    """From before the send until received and completed, in milliseconds, each."""
    trips = []
    with client.get_queue_sender("trips") as sender, client.get_queue_receiver("trips") as receiver:
        incoming = iter(receiver)
        for _ in range(ROUND_TRIPS):
            began = time.perf_counter()
            sender.send_messages(ServiceBusMessage(BODY))
            receiver.complete_message(next(incoming))
            trips.append((time.perf_counter() - began) * 1000)
    return trips


def memory_mb(pid: int) -> float:
    """Resident memory of the player, from Linux's own account."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def processor_us(pid: int) -> float:
    """Processor time that the player has used, which a busy machine bends less than the clock."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")


def measure() -> dict:
    with tempfile.TemporaryDirectory() as folder, running_player(Path(folder)) as player:
        for name in ("batches", "single", "trips"):
            make_queue(player, name)
        with ServiceBusClient.from_connection_string(player["connectionString"]) as client:
            idle_us = processor_us(player["pid"])
            batched = batched_per_second(client)
            sent_us = processor_us(player["pid"])
            full_mb = memory_mb(player["pid"])
            received = received_per_second(client)
            received_us = processor_us(player["pid"])
            single = one_by_one_per_second(client)
            trips = sorted(round_trips_ms(client))
    return {
        "sentInBatchesPerSecond": round(batched),
        "receivedAndCompletedPerSecond": round(received),
        "sentOneByOnePerSecond": round(single),
        "roundTripP50Ms": round(statistics.median(trips), 2),
        "roundTripP99Ms": round(trips[int(len(trips) * 0.99)], 2),
        "playerUsPerSentInBatch": round((sent_us - idle_us) / (BATCH * BATCHES)),
        "playerUsPerReceived": round((received_us - sent_us) / (BATCH * BATCHES)),
        "memoryMbWith6000Messages": round(full_mb, 1),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
