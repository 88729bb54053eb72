"""What each figure of a planner's traces counts, in words that can be attacked."""

DEFINITIONS = """## What is counted

- **Legal mass.** At every slot that leaves a choice, the probability that the softmax over the slot's whole set gives
  to the values that the grammar allows there, before the mask. Mean over slots as they were asked, after the
  planner's own earlier choices (which the mask kept legal: later slots profit from that). A slot with one legal value
  is filled and not counted.
- **Macro-F1.** Of the decision that the planner wrote against the label of the same moment; the mean of F1 over the
  decisions that labels name, each with equal weight however rare (in a draw of the bootstrap: over those that it
  holds). The label is the expert's, with its errors. Beside
  it, what repeating the *expert's* decision of half a second ago would get, on the moments that have one: decisions
  last, so a figure that does not beat this proves little. The planner does not have that decision; it has the scene
  and its own.
- **Proximate cause.** Where the label has a longitudinal proximate cause: the planner's longitudinal proximate cause
  points at the same thing. None, or the same thing in another role, is wrong.
- **Claims about the present.** Verdicts of the [check](trace.md#checking) of the planner's own trace against the
  scene and its *own* plan. Undetermined is no pass. The labels that the planner learned from were written with the
  check's geometry, so that both agree says that it says what a label would, not that this is right; the last column
  of the table below is what labels get themselves.
- **Trace-plan consistency.** Of the claims that are bound to the plan (the longitudinal and lateral decision by their
  rules, speed at the end, place of rest, target lane, each segment along and across) the share that the check calls
  true of the planner's own plan. Some are true of nearly any plan (`keep`, `keep_lane`), which is why there is a
  baseline.
- **Shuffled.** The plan, the scene and all references stay; decisions, end speed, place of rest and segments are
  those that the planner wrote at another moment, of another scene, {shuffles} draws each; "same speed band" draws
  among moments with the ego's speed between the same of 0, {edges} m/s. Causes stay the moment's own, since another
  scene's are not there, which favours the baseline. A target lane that the other trace names has no meaning here and
  is left out; so is, in the row above, one that the own trace names.
- **Obedience.** The planner's own words up to the decision, then both decisions of the expert's runner-up put in as
  one block (a clean proposal of its certificate, so it can be driven), then the rest of the trace and the plan as the
  planner will. Only where the runner-up's pair differs from the planner's own, and where the runner-up's plan and the
  planner's own are at least {apart} m apart at 4 s. Obeyed: the check's rules hold for the new plan on every axis
  that was changed, *and* at 4 s the new plan is nearer to the runner-up's plan than to the planner's own, along and
  across the ego's path together. The rules read the causes that the planner wrote after it was forced. That a rule
  holds may be no merit: "held anyway" says how often it held for the plan without force. Where the decisions alone do
  not move the plan, "whole trace put in" tells a plan that does not follow words from words that do not follow the
  decision.
- **Early answering.** How far the plan is from that of the whole trace if the trace is cut after a stage. Cuts within
  a trace were not trained; the modes were. A plan that does not move was made up before the words.
  The last row puts the label's trace in as a block: how near to the label's plan its words lead if they are right.
"""
