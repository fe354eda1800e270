"""Other managers, as their packages install them. Each is started with as many workers and ended again.

Those that pass no sockets on run a program that sleeps; it is the managers that are measured.
"""

import os
import shutil
import signal
import urllib.request

import daemon
import processes

SUPERVISORD = """
[unix_http_server]
file = {folder}/supervisor.sock
[supervisord]
nodaemon = true
logfile = {folder}/supervisord.log
pidfile = {folder}/supervisord.pid
childlogdir = {folder}
minfds = {descriptors}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl = unix://{folder}/supervisor.sock
[program:app]
command = {sleeper} 100000
process_name = %(program_name)s_%(process_num)d
numprocs = {workers}
startsecs = 0
autorestart = true
stdout_logfile = NONE
stderr_logfile = NONE
"""

NGINX = """
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 128; }}
http {{
    access_log off;
    server {{ listen 127.0.0.1:{port}; return 200; }}
}}
"""

GUNICORN_APPLICATION = """
def application(environment, start_response):
    start_response("200 OK", [("Content-Length", "0")])
    return []
"""


def write(folder, name, text, mode=0o644):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


class Peer:
    """What all have in common: one process that has the workers as children."""

    name = ""
    program = ""
    start_seconds = 60

    def __init__(self, folder, workers):
        self.folder = folder
        self.wanted = workers
        self.log = os.path.join(folder, f"{self.name}.log")
        self.process = processes.start(self.command(), self.log)
        try:
            processes.wait_until(self.is_complete, f"{self.name} with {workers} workers", self.start_seconds,
                                 calm=True)
        except BaseException:
            self.stop()
            raise

    @classmethod
    def is_there(cls):
        return shutil.which(cls.program) is not None

    def command(self):
        raise NotImplementedError

    def is_complete(self):
        if self.process.poll() is not None:
            raise processes.TooLate(f"{self.name} ended with status {self.process.returncode}, see its log")
        return len(self.workers()) == self.wanted

    @property
    def pid(self):
        return self.process.pid

    def managers(self):
        return [self.pid]

    def workers(self):
        return processes.children(self.pid)

    def reload(self):
        os.kill(self.pid, signal.SIGHUP)

    def stop(self):
        processes.stop(self.process, gently=False)


class Supervisord(Peer):
    name = "supervisord"
    program = "supervisord"

    def command(self):
        self.configuration = write(self.folder, "supervisord.conf", SUPERVISORD.format(
            folder=self.folder, workers=self.wanted, sleeper=daemon.SLEEPER, descriptors=4 * self.wanted + 100))
        return [shutil.which(self.program), "-c", self.configuration]

    def status_command(self):
        return [shutil.which("supervisorctl"), "-c", self.configuration, "status"]


class HttpPeer(Peer):
    """Serves; it is complete when it answers."""

    def is_complete(self):
        return super().is_complete() and self.answers()

    def answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False


class Gunicorn(HttpPeer):
    name = "gunicorn"
    program = "gunicorn"

    def command(self):
        self.port = daemon.free_port()
        write(self.folder, "bench_application.py", GUNICORN_APPLICATION)
        return [shutil.which(self.program), "--workers", str(self.wanted), "--bind", f"127.0.0.1:{self.port}",
                "--chdir", self.folder, "bench_application:application"]


class Nginx(HttpPeer):
    name = "nginx"
    program = "nginx"

    def command(self):
        self.port = daemon.free_port()
        path = write(self.folder, "nginx.conf",
                     NGINX.format(folder=self.folder, workers=self.wanted, port=self.port))
        return [shutil.which(self.program), "-e", self.log, "-p", self.folder, "-c", path]


class S6(Peer):
    """One s6-supervise for each worker, below one s6-svscan."""

    name = "s6"
    program = "s6-svscan"

    def command(self):
        services = os.path.join(self.folder, "services")
        os.mkdir(services)
        run = write(self.folder, "run", f"#!/bin/sh\nexec {daemon.SLEEPER} 100000\n", 0o755)
        for number in range(self.wanted):
            service = os.path.join(services, f"app-{number + 1}")
            os.mkdir(service)
            os.symlink(run, os.path.join(service, "run"))
        return [shutil.which(self.program), "-c", str(self.wanted + 8), services]

    def managers(self):
        return [self.pid, *processes.children(self.pid)]

    def workers(self):
        supervises = processes.children(self.pid)
        if len(supervises) < self.wanted:
            return []  # not complete: spares a thousand looks
        return [worker for supervise in supervises for worker in processes.children(supervise)]


def found(*classes):
    return [peer for peer in classes if peer.is_there()]
