"""Run llama.cpp's server in a process that ends with its caller.

The module runs as a script and imports only the standard library, so that it starts at once. It reads one order from
standard input, loads the model, writes the server's address to standard output, and runs until standard input is
closed, which the kernel does when the caller ends in whatever way.

It is not run in the caller's process because the engine keeps Python's global lock while it loads (10 s without a
progress bar or Ctrl-C), ends the whole process when it runs out of memory, and writes its log to the caller's terminal.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

LOG_ERRORS = 1


@dataclass(frozen=True, slots=True)
class Order:
    """What to serve; sent as JSON on standard input, since the list of processes must not show the key."""

    path: str
    model: str
    key: str = field(repr=False)
    context: int
    threads: int


def serve(start: Callable[[Order], tuple[object, str]]) -> None:
    """Read an order, start its server, write the address, and wait until standard input is closed.

    Args:
        start: starts the server, and returns it with its address.
    """
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # other writes to standard output go to the log
    if not (line := sys.stdin.buffer.readline()):  # bytes: UTF-8 whatever the locale
        return
    order = Order(**json.loads(line))
    watcher = os.fork()
    if not watcher:
        answer.close()  # or the caller would not see that the server has ended
        _kill_at_end_of_input(os.getppid())
    server, address = start(order)
    print(address, file=answer, flush=True)
    os.waitpid(watcher, 0)
    del server
    os._exit(0)  # a watcher that was killed: without one the server would never end


def _kill_at_end_of_input(server: int) -> None:
    """Kill the server when the caller ends. A thread could not act while the engine loads."""
    try:
        sys.stdin.buffer.read()
        if os.getppid() == server:
            os.kill(server, signal.SIGKILL)
    finally:
        os._exit(0)


def llama(order: Order) -> tuple[object, str]:
    """Load the model and listen on a free loopback port; returns when it is ready to answer."""
    # Threads that wait for each other by spinning bring the engine down to a token a second, and the machine with it,
    # as soon as another program wants a core. OpenMP reads this when the engine is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp  # only in the process that serves: a test's server has no engine

    params = xllamacpp.CommonParams()
    params.model.path = order.path
    params.model_alias = {order.model}
    params.api_keys = [order.key]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = order.context
    params.n_parallel = 1  # two slots at once were no faster
    params.cpuparams.n_threads = order.threads
    params.cache_prompt = True
    params.cache_ram_mib = 0  # the instructions, which all passages share, stay in the slot; earlier prompts need not
    params.fit_params = len(xllamacpp.get_device_info()) > 1  # fits a model to a GPU; on a CPU it only loads twice
    params.verbosity = LOG_ERRORS
    params.offline = True
    params.ui = False
    params.endpoint_slots = False
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        sys.exit(str(error))  # the engine has logged the cause
    return server, server.listening_address


if __name__ == "__main__":
    serve(llama)
