"""`python -m rehearsal.host`: serve one function app until SIGTERM.

App settings come from the environment, as in Azure. Logs are JSON lines on standard error. Exit
codes: 0 stopped, 2 the app was refused (every error on standard error).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import warnings
from pathlib import Path

from rehearsal.host import server
from rehearsal.host.bus import NoConnection
from rehearsal.host.config import Config, MissingSetting
from rehearsal.host.index import IndexingRefused
from rehearsal.host.logs import log_json
from rehearsal.host.timers import BadSchedule

log = logging.getLogger("host")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.host")
    parser.add_argument("--app", type=Path, required=True, help="folder with function_app.py")
    parser.add_argument("--name", required=True, help="the app's name")
    parser.add_argument("--db", type=Path, required=True, help="SQLite file of the task hub")
    parser.add_argument("--port", type=int, default=0, help="0 takes any")
    parser.add_argument("--ready-file", type=Path, help="written when the app is served")
    parser.add_argument("--read-key", help="the function key")
    parser.add_argument("--master-key", help="the master key")
    return parser.parse_args()


def write_ready(path: Path, host: server.Host) -> None:
    """Write the ready file, whole or not at all."""
    names = [each.name for each in host.functions]
    text = json.dumps({"url": host.url, "pid": os.getpid(), "functions": names})
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    config = Config.read(options.app, os.environ)
    chosen = server.Options(
        options.name, options.db, options.port, options.read_key, options.master_key
    )
    host = server.load(options.app, config, chosen)
    await host.start()
    if options.ready_file:
        write_ready(options.ready_file, host)
    log.info("serving", extra={"app": options.name, "url": host.url})
    await stopped.wait()
    log.info("stopping", extra={"app": options.name})
    await host.stop()


def main() -> int:
    """Serve; the exit code."""
    log_json()
    # The SDK warns of an event that comes before its wait; that is lawful.
    warnings.filterwarnings("ignore", message="Potential duplicate Task completion")
    try:
        asyncio.run(serve(arguments()))
    except IndexingRefused as problem:
        for error in problem.errors:
            log.error("indexing", extra={"error": error})
        return 2
    except (MissingSetting, NoConnection, BadSchedule) as problem:
        log.error("indexing", extra={"error": str(problem)})
        return 2
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    # Threads of functions that hang must not keep the process.
    os._exit(code)
