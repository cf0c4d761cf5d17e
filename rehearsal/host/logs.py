"""Logs as JSON lines on standard error: one event, one line."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
SECRET = re.compile(r"((?:sig|code|SharedAccessKey|AccountKey)=)[^&;\s\"']+", re.IGNORECASE)


class JsonLines(logging.Formatter):
    """A record as one JSON object: at, level, logger, event, and its extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line, secrets redacted."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update({k: v for k, v in vars(record).items() if k not in STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return SECRET.sub(r"\1[redacted]", json.dumps(line, default=str))


def log_json() -> None:
    """Send every log of the process to standard error; the Azure clients only when they warn."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in ("azure", "aiohttp", "uamqp", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
