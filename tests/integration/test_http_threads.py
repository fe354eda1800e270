#!/usr/bin/python3
"""The sync worker with several threads, whose calls run side by side; and crowds of clients that ask for anything and
give up at any time, with and without threads."""

import random
import signal
import threading

from http_client import Malformed, Server, chunks, pattern, request
from harness import BOUND, Load, check_load, run_tests, test

THREADS = 4
CLIENTS = 8
ROUNDS = 400


def start_slow(server, ms=300):
    """@return a client whose request runs: the 103 has come"""
    client = server.client()
    client.send(request(f"/slow?ms={ms}&early=1"))
    assert client.read_interim().status == 103
    return client


@test
def calls_run_side_by_side():
    with Server("sync", "--threads", str(THREADS)) as server:
        running = [start_slow(server) for _ in range(THREADS)]
        # All threads are taken; who comes now waits, and is not forgotten.
        waiting = [server.client().send(request("/hello")) for _ in range(10)]
        for client in running:
            assert client.read().text == "slow\n"
        for client in waiting:
            assert client.read().text == "hello\n"
        for client in running + waiting:
            assert client.ask("/hello").text == "hello\n"
            client.close()
        assert server.stop() == 0


@test
def slow_readers_take_no_thread():
    with Server("sync", "--threads", "2") as server:
        readers = [server.client(receive_buffer=8192) for _ in range(6)]
        for client in readers:
            client.send(request("/big?n=8000000&chunked=1") + request("/hello"))
        for client in readers:
            assert client.is_readable()
        for _ in range(100):
            assert server.ask("/hello").text == "hello\n"
        for client in readers:
            assert client.read().body == pattern(8000000) and client.read().text == "hello\n"
            client.close()


@test
def the_end_waits_for_all_calls():
    with Server("sync", "--threads", str(THREADS)) as server:
        running = [start_slow(server) for _ in range(THREADS)]
        waiting = server.client().send(request("/hello"))
        server.signal(signal.SIGTERM)
        for client in running:
            answer = client.read()
            assert answer.text == "slow\n" and answer.closes, answer
            client.close()
        assert waiting.read().text == "hello\n"
        waiting.close()
        assert server.wait_exit() == 0


@test
def what_happens_during_a_call_is_noticed_behind_it():
    with Server("sync", "--threads", str(THREADS)) as server:
        pipelining, ending, leaving = (start_slow(server) for _ in range(3))
        pipelining.send(request("/hello") * 3)
        ending.end_sending()
        leaving.reset()
        assert pipelining.read().text == "slow\n" and ending.read().text == "slow\n"
        for _ in range(3):
            assert pipelining.read().text == "hello\n"
        assert ending.read_end() == "eof"
        assert pipelining.ask("/hello").text == "hello\n"
        server.wait_all_closed()


def ask_at_random(server, seed, failures):
    """Requests of all kinds, some given up within; whatever is answered must be right."""
    rng = random.Random(seed)
    size = rng.randrange(1, 200000)
    asks = [
        (request("/hello"), lambda answer: answer.text == "hello\n"),
        (request(f"/big?n={size}"), lambda answer: answer.body == pattern(size)),
        (request(f"/big?n={size}&chunked=1"), lambda answer: answer.body == pattern(size)),
        (request("/echo", method="POST", body=b"x" * size), lambda answer: answer.body == b"x" * size),
        (request("/stream", "Transfer-Encoding: chunked", method="POST") + chunks(b"a" * 3000, b"b" * 70000),
         lambda answer: answer.body == b"a" * 3000 + b"b" * 70000),
        (request(f"/file?n={size}"), lambda answer: answer.body == pattern(size)),
        (request("/drip?n=3&ms=1"), lambda answer: answer.text == "drip\n" * 3),
        (request("/abort"), lambda answer: answer.status == 500),
        (request("/none"), lambda answer: answer.status == 404),
    ]
    client = server.client()
    try:
        for _ in range(ROUNDS):
            chosen = [rng.choice(asks) for _ in range(rng.choice((1, 1, 1, 3)))]
            client.send_until_answered([piece for piece, _ in chosen])
            if rng.random() < 0.2:
                # Gives up without listening, or within the answer.
                client.is_readable(rng.choice((0, 0.001)))
                rng.choice((client.reset, client.close))()
                client = server.client()
                continue
            if len(chosen) == 1:
                answer = client.read()
                assert chosen[0][1](answer), (chosen[0][0][:60], answer)
            else:
                client.close()
                client = server.client()
    except (AssertionError, Malformed, OSError, EOFError) as error:
        failures.append(f"seed {seed}: {error!r}")
    finally:
        client.close()


def crowd(kind, *options):
    seed = random.randrange(1 << 30)
    print(f"# seed {seed}")
    with Server(kind, *options) as server:
        failures = []
        clients = [threading.Thread(target=ask_at_random, args=(server, seed + number, failures), daemon=True)
                   for number in range(CLIENTS)]
        with Load(server.address, "--path", "/hello", connections=8) as kept, \
                Load(server.address, "--path", "/chunked", "--close", connections=8) as closed:
            for client in clients:
                client.start()
            for client in clients:
                client.join(BOUND)
            check_load(kept, closed)
        assert not failures, failures
        server.wait_all_closed()
        assert server.stop() == 0


@test
def crowds_of_all_kinds_meet_one_thread():
    crowd("sync")


@test
def crowds_of_all_kinds_meet_several_threads():
    crowd("sync", "--threads", str(THREADS))


@test
def crowds_of_all_kinds_meet_the_loop():
    crowd("async")


if __name__ == "__main__":
    run_tests()
