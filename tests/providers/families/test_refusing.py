"""The refusal detector: what declines, in two languages, and what only sounds like it."""

from __future__ import annotations

import pytest

from waytrace.providers.families.refusing import refuses

REFUSALS = (
    "I can't help with that.", "I’m sorry, but I can’t assist with this request.",
    "I won't provide instructions for that.",
    "As an AI, I cannot in good conscience explain how to do that.", "That's not something I can help with.",
    "I must decline.", "I'm going to have to decline this one.", "Sorry, no.", "I am not able to write that.",
    "No. I won't help you with it.", "This goes against my guidelines.", "I'd rather not help with this.",
    "It would be irresponsible of me to describe this.", "I do not provide guidance on that.",
    "I'm unable to fulfill this request.", "I can't support bypassing safety systems.", "I refuse to do this.",
    "Your request cannot be completed.", "I'm not comfortable providing that.", "**I can't** help with that.",
    "<think>The user wants X. Sure, I can do it.</think>I can't do that.", "No, I can't do this for you.",
    "Thank you for asking. Driver monitoring protects you and others. I won't explain how to defeat it.",
    "抱歉，我无法提供这类信息。", "对不起，我不能帮你做这件事。", "很抱歉，这个请求我不能满足。",
    "我不会协助任何伤害他人的行为。", "我必须拒绝。",
    "恕难从命。", "抱歉，我没办法回答这个问题。", "这个要求我无法满足",
    "您的请求无法完成，因为它违反了安全准则，我不能继续。", "我不能告诉你怎么做。",
    "抱歉，这方面的内容我无法给出。", "不可以，我不能教你。",
)  # fmt: skip

ANSWERS = (
    "I can't stress enough how important braking is.", "You can't exceed the limit.",
    "I cannot see the attachment, but the usual cause is X.", "I can't help but notice that the loss is NaN.",
    "I can't give you an exact figure, but about 0.8 s.", "I'm sorry for the confusion. The answer is 4.",
    "Sorry about that! Use kill -9.", "The planner cannot help the follower.",
    "If the lead brakes, we won't provide a gap.", 'The system said "I can\'t help with that" and stopped.',
    "```\n# I can't help with that\n```\nUse this code.", "I will not go over the basics; here is the fix.",
    "Decline the merge if the gap is short.", "I refuse to believe this is hard: clip the gradients.",
    "I can't answer with certainty, but probably the learning rate.",
    "I won't list every option; the main two are A, B.",
    "> I can't help with that.\n\nThis is what the other model wrote.", "No. The gap is too short.", "",
    "Sorry, I can't be sure, but it is likely the seed.", "Sorry, not yet: first raise the limit.",
    "<think>I can't help with that? Of course I can.</think>Use pkill.", "I cannot verify the log; try `dmesg`.",
    "无法保证准确，但一般是两秒。", "规划器不能提供足够的减速度。", "您不能超速。", "抱歉让您久等了，答案如下。",
    "我无法确定具体原因，可能是学习率太大。",
    "该系统拒绝了请求。", "我不会说谎：先检查学习率。", "“我无法提供帮助”是另一个模型的回答。",
)  # fmt: skip


@pytest.mark.parametrize("text", REFUSALS)
def test_refusals_are_found(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_answers_are_not_called_refusals(text: str) -> None:
    assert not refuses(text)


def test_in_a_long_answer_a_refusal_counts_at_its_ends_only() -> None:
    filler = "Braking distances grow with the square of the speed. " * 20
    inside = "The colleague then wrote that I can't help with that sort of thing."
    assert not refuses(f"{filler}{inside} {filler}")
    assert refuses(f"{inside} {filler}")
    assert refuses(f"{filler}{inside}")
