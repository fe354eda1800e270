"""Clients that ask as fast as they are answered."""

import json
import os
import re
import shutil
import subprocess

from daemon import BUILD
from http_servers import Missing

CONNECTIONS = 32
END_SECONDS = 30  # behind the end of the load

REQUESTS = re.compile(r"^\s*(\d+) requests in ", re.MULTILINE)
REFUSED = re.compile(r"^\s*Non-2xx or 3xx responses: .*$", re.MULTILINE)
ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")


def run(command, seconds):
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + END_SECONDS, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: exit status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def check_wrk(server, output):
    """Time-outs are allowed: uWSGI's process serves one connection to its end, the others wait."""
    refused = REFUSED.search(output)
    errors = ERRORS.search(output)
    if refused or (errors and any(int(count) for count in errors.groups()[:3])):
        raise RuntimeError(f"{server.name} under load: {(refused or errors)[0].strip()}")


def requests(server, seconds):
    """@return how many were answered"""
    if shutil.which("wrk") is None:
        raise Missing("wrk is missing")
    output = run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", server.url()], seconds)
    check_wrk(server, output)
    return int(REQUESTS.search(output)[1])


def echoes(server, seconds):
    """@return how many messages came back"""
    program = os.path.join(BUILD, "tests/bench/websocket_load")
    return json.loads(run([program, str(server.port), str(CONNECTIONS), str(seconds)], seconds))["echoes"]
