"""Every command, the module that holds it, and one line of help. Static, so that help needs no imports."""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "with no data and no network: planners drive generated roads; a report to open"),
    "doctor": ("doctor", "versions, cores, disk, one simulator step, what to run next"),
    "scenarios import": ("scenarios_import", "recorded drives (Argoverse 2, CommonRoad) into a store"),
    "scenarios generate": ("scenarios_generate", "procedural scenarios into a store"),
    "scenarios list": ("scenarios_list", "what a store holds"),
    "scenarios show": ("scenarios_show", "one scenario in words"),
    "scenarios validate": ("scenarios_validate", "check every scenario of a store"),
    "suites list": ("suites_list", "the frozen suites: scenes, splits, hash"),
    "suites freeze": ("suites_freeze", "a suite file: the oracle drives every scene of a store, or of a recipe"),
    "label": ("label", "traces from the expert's certificates, or of what recorded drivers did"),
    "train collect": (
        "train_collect",
        "samples to learn from: drives, with what the expert would do at every decision",
    ),
    "train sft": ("train_sft", "a planner from samples: losses, decisions, closed-loop score; resumes by repeating"),
    "checkpoint verify": ("checkpoint_verify", "every byte and every tensor of checkpoints"),
    "checkpoint show": ("checkpoint_show", "what a checkpoint holds: model, base, adapters, files, training"),
    "checkpoint diff": ("checkpoint_diff", "the tensors in which two checkpoints differ"),
    "checkpoint export": ("checkpoint_export", "a checkpoint that stands alone, adapters merged in; or ONNX"),
    "eval": ("eval", "a planner in closed loop over many scenarios -> a scored result"),
    "causes": ("causes", "what a planner says moved it is taken away: does its plan change? any planner"),
    "gate": ("gate", "a result beside its baseline: improved, equivalent, inconclusive or regressed; exit code"),
    "baseline set": ("baseline_set", "make a result the baseline, for a reason that is kept"),
    "baseline log": ("baseline_log", "every change of a baseline, with its reason"),
    "compare": ("compare", "what differs between two results, scene by scene: causes dropped, the first tick"),
    "shrink": ("shrink", "the smallest set of agents with which a planner still fails a scene"),
    "trace check": ("trace_check", "every claim of a trace file against the scene and the plan"),
    "trace audit": ("trace_audit", "causes, omissions, rejected options and tool calls, by asking the expert again"),
    "trace explain": ("trace_explain", "the traces of a file in English"),
    "trace diff": ("trace_diff", "what differs between two trace files, field by field"),
    "report": ("report", "static HTML from one or more results"),
    "providers list": (
        "providers_list",
        "LLM providers: endpoints, keys set or not, models, prices with their age and source",
    ),
    "providers run": ("providers_run", "put the benchmark's items to a model, within a budget; resumes by repeating"),
    "providers report": ("providers_report", "which LLM provider for what: Markdown and HTML from runs, or from none"),
    "providers prices": ("providers_prices", "the dated price book; `check` falls where a price is too old to decide"),
    "trace annotate": ("trace_annotate", "a page on which people say what the ego should do and why"),
    "trace agreement": ("trace_agreement", "how far two passes, two people, or a person and a labeller agree"),
}

EPILOGUE = """\
`waytrace COMMAND --help` lists a command's options. With --json a command prints one JSON object as the last line of
standard output. Exit codes: 0 done, 1 a check or a planner failed, 2 usage or bad input, 3 internal error."""


def help_text(group: str = "") -> str:
    """Help for the whole command line, or for one group of commands such as ``scenarios``."""
    shown = {k: text for k, (_, text) in COMMANDS.items() if not group or k.split()[0] == group}
    width = max(map(len, shown))
    lines = [f"  {name:<{width}}  {text}" for name, text in shown.items()]
    usage = f"usage: waytrace {group} COMMAND ..." if group else "usage: waytrace [--version] COMMAND ..."
    title = "" if group else "\nPlanners for autonomous driving that drive and say why.\n"
    return "\n".join([usage, title, "commands:", *lines, "", EPILOGUE])
