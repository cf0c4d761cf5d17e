"""`python -m rehearsal.servicebus`: one namespace in one process, until SIGTERM."""

import argparse
import json
import os
import signal
from pathlib import Path

from rehearsal.servicebus.admin import start_admin
from rehearsal.servicebus.server import Server


def connection_string(port: int) -> str:
    """What an unmodified client needs; the development flag makes it speak plain AMQP."""
    key = "SharedAccessKeyName=rehearsal;SharedAccessKey=rehearsal"
    return f"Endpoint=sb://127.0.0.1:{port};{key};UseDevelopmentEmulator=true;"


def announce(ready_file: Path, facts: dict) -> None:
    """Write the ready file whole or not at all: whoever waits for it may read at once."""
    draft = ready_file.with_suffix(".draft")
    draft.write_text(json.dumps(facts))
    draft.replace(ready_file)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rehearsal.servicebus", description=__doc__)
    parser.add_argument("--namespace", required=True, help="name, for people")
    parser.add_argument("--db", required=True, type=Path, help="SQLite file, made if absent")
    parser.add_argument("--port", type=int, default=0, help="AMQP port; 0: any")
    parser.add_argument("--admin-port", type=int, default=0, help="HTTP port; 0: any")
    parser.add_argument("--ready-file", type=Path, help="written when serving")
    given = parser.parse_args()
    server = Server(given.db, given.port)
    admin = start_admin(server, given.admin_port)
    facts = {
        "namespace": given.namespace,
        "amqp": server.port,
        "admin": f"http://127.0.0.1:{admin.server_port}",
        "pid": os.getpid(),
        "connectionString": connection_string(server.port),
    }
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    if given.ready_file:
        announce(given.ready_file, facts)
    print(json.dumps(facts), flush=True)
    server.run()
    admin.shutdown()


if __name__ == "__main__":
    main()
