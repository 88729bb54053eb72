"""What runs behind the walls. It is given to a bare Python as text: the standard library alone, nothing of Waytrace.

It reads one JSON object from standard input (``files``, ``probes``, ``limits``, ``walls``, ``uid``, ``library``), puts
up the walls, writes the files and evaluates the probes, and says on standard output, one JSON object a line:
``attempt`` (something that no planner needs to do), ``value`` or ``error`` of each probe, and at last ``end``, or
``stop`` at a limit.

Expected values never come in here, so code that is judged cannot read them, and printing a value that is right without
computing it is guessing.
"""

from __future__ import annotations

import ast
import ctypes
import errno
import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from types import FrameType
from typing import Any

HOME, NEW_ROOT = "/repository", "/tmp/root"
MOST_ATTEMPTS = 20
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MNT_DETACH = 1, 2, 4, 32, 4096, 2
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, CAPABILITY_VERSION_3 = 24, 38, 0x20080522

PR_SET_SECCOMP, ALLOW, ANSWER, KILL, CLONE3 = 22, 0x7FFF0000, 0x00050000, 0x80000000, 435
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
REFUSED = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "open_by_handle_at": (304, 265),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
}
"""System calls that are refused, by their number on each architecture."""

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
STARTS = (
    "os.fork",
    "os.forkpty",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "subprocess.Popen",
    "pty.spawn",
)
CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown",
           "os.truncate", "os.utime", "shutil.rmtree", "shutil.move", "shutil.copyfile")  # fmt: skip
OTHERS = ("os.kill", "os.listdir", "os.scandir", "os.putenv", "signal.pthread_kill", "gc.get_objects")


def wall_off(libc: ctypes.CDLL, task: dict[str, Any]) -> None:
    """Into a root of our own: an empty memory disk, with the standard library and the C libraries read-only in it."""

    def call(name: str, *arguments: Any) -> None:
        if getattr(libc, name)(*arguments) != 0:
            raise OSError(ctypes.get_errno(), f"{name}{arguments[:2]}: {os.strerror(ctypes.get_errno())}")

    size = f"size={task['limits']['disk_bytes']},nr_inodes=512,mode=0755".encode()
    call("mount", b"tmpfs", b"/tmp", b"tmpfs", MS_NOSUID | MS_NODEV, size)
    for library in task["library"]:
        inside = Path(f"{NEW_ROOT}{library}")
        inside.mkdir(parents=True, exist_ok=True)
        call("mount", library.encode(), bytes(inside), None, MS_BIND, None)
        flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV
        call("mount", None, bytes(inside), None, flags, None)
    Path(f"{NEW_ROOT}{HOME}").mkdir()
    os.chown(f"{NEW_ROOT}{HOME}", task["uid"], task["uid"])
    os.chdir("/tmp")
    call("pivot_root", b".", b".")
    call("umount2", b".", MNT_DETACH)
    # A root that is not its mount namespace's own: from there nobody makes user namespaces (user_namespaces(7)).
    os.chroot("/root")
    os.chdir("/")
    drop_rights(libc, task["uid"])


def drop_rights(libc: ctypes.CDLL, uid: int) -> None:
    """Become nobody, for good: no capability left, none to be had by running another program."""
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    if libc.capset(header, (ctypes.c_uint32 * 6)()) != 0 or libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the rights could not be given up")


def refuse_calls(libc: ctypes.CDLL) -> None:
    """Refuse what no planner asks of the kernel: sockets, memory that no limit counts, namespaces, other processes.

    A filter of system calls (seccomp(2)) for ``ARCHITECTURES``; on others there is none, and the trial of the walls
    says that they do not hold.
    """
    machine = os.uname().machine
    if machine not in ARCHITECTURES:
        return
    numbers = [row[list(ARCHITECTURES).index(machine)] for row in REFUSED.values()]
    steps = [(0x20, 0, 0, 4), (0x15, 1, 0, ARCHITECTURES[machine]), (0x06, 0, 0, KILL), (0x20, 0, 0, 0)]
    if machine == "x86_64":
        steps += [(0x35, 0, 1, 0x40000000), (0x06, 0, 0, KILL)]  # the second set of numbers, x32
    for number, answer in [*((n, errno.EPERM) for n in numbers), (CLONE3, errno.ENOSYS)]:
        steps += [(0x15, 0, 1, number), (0x06, 0, 0, ANSWER | answer)]
    steps.append((0x06, 0, 0, ALLOW))
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program))
    if libc.prctl(PR_SET_SECCOMP, 2, ctypes.create_string_buffer(header), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the filter of system calls was not taken")


def set_limits(limits: dict[str, int]) -> None:
    """Hard limits of this process and of all that it starts."""
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_s"], limits["cpu_s"] + 1))
    for name, value in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_NPROC, limits["processes"]), (resource.RLIMIT_FSIZE, limits["disk_bytes"]),
        (resource.RLIMIT_NOFILE, 32), (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        resource.setrlimit(name, (value, value))


def judged(path: str) -> bool:
    """Whether a file is of the repository that is judged."""
    return path.startswith((HOME, "<probe"))


class Watch:
    """Says what the judged code tries that no planner needs; the walls hold without it."""

    def __init__(self, say: Callable[..., None], library: list[str]) -> None:
        self.say, self.readable, self.said = say, (*library, HOME), set[str]()

    def attempt(self, what: str) -> None:
        """Tell of it, once."""
        if what not in self.said and len(self.said) < MOST_ATTEMPTS:
            self.said.add(what)
            self.say(attempt=what[:200])

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The audit hook (PEP 578)."""
        if event == "open":
            path, mode, flags = arguments
            path = os.fsdecode(path) if isinstance(path, str | bytes) else str(path)
            if flags & WRITES or (mode and "r" not in mode):
                self.attempt(f"write: {path}")
            elif not os.path.normpath(os.path.join(HOME, path)).startswith(self.readable):  # noqa: PTH118
                self.attempt(f"read: {path}")
        elif event.startswith("socket."):
            self.attempt(f"network: {event}")
        elif event in STARTS:
            self.attempt(f"process: {event}")
        elif event.startswith("ctypes."):
            self.attempt(f"other: {event}")
        elif event in CHANGES:
            self.attempt(f"write: {event} {str(arguments[0])[:80]}")
        elif event in OTHERS and judged(sys._getframe(1).f_code.co_filename):
            self.attempt(f"other: {event}")


class Environment(MutableMapping[str, str]):
    """An empty environment that tells when the judged code looks into it."""

    def __init__(self, watch: Watch) -> None:
        self.watch, self.set = watch, dict[str, str]()

    def _look(self) -> None:
        frame: FrameType | None = sys._getframe(2)
        for _ in range(3):
            if frame is None or judged(frame.f_code.co_filename):
                break
            frame = frame.f_back
        if frame is not None and judged(frame.f_code.co_filename):
            self.watch.attempt("environment: read")

    def __getitem__(self, key: str) -> str:
        self._look()
        return self.set[key]

    def __iter__(self) -> Iterator[str]:
        self._look()
        return iter(self.set)

    def __len__(self) -> int:
        self._look()
        return len(self.set)

    def __setitem__(self, key: str, value: str) -> None:
        self.set[key] = value

    def __delitem__(self, key: str) -> None:
        del self.set[key]


def evaluate(source: str, name: str) -> Any:
    """The value of a snippet's last expression."""
    tree = ast.parse(source, name)
    last = tree.body.pop()
    if not isinstance(last, ast.Expr):
        raise SyntaxError("a probe ends with an expression")
    space: dict[str, Any] = {"__name__": "__probe__"}
    exec(compile(tree, name, "exec"), space)
    return eval(compile(ast.Expression(last.value), name, "eval"), space)


def main() -> None:
    """Walls, limits, files, probes."""
    task = json.load(sys.stdin)
    out, nothing, write = os.dup(1), os.open(os.devnull, os.O_RDWR), os.write
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    dumps = json.dumps

    def say(**record: Any) -> None:
        write(out, (dumps(record) + "\n").encode())

    libc = ctypes.CDLL(None, use_errno=True)
    if task["walls"]:
        wall_off(libc, task)
    set_limits(task["limits"])
    refuse_calls(libc)

    def stop(*_: object) -> None:
        say(stop="cpu limit")
        os._exit(1)

    signal.signal(signal.SIGXCPU, stop)
    for path, text in task["files"].items():
        target = Path(HOME, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    os.chdir(HOME)
    sys.dont_write_bytecode = True
    sys.path[:] = [HOME, *(p for p in sys.path if p.startswith("/"))]
    watch = Watch(say, task["library"])
    os.environ = Environment(watch)  # type: ignore[assignment]  # noqa: B003 (it was empty to begin with)
    sys.addaudithook(watch)
    for number, source in enumerate(task["probes"]):
        try:
            text = dumps(evaluate(source, f"<probe {number}>"))
            write(out, f'{{"probe": {number}, "value": {text}}}\n'.encode())
        except BaseException as error:
            say(probe=number, error=f"{type(error).__name__}: {str(error)[:300]}")
    say(end=True)
    os._exit(0)


if __name__ == "__main__":
    main()
