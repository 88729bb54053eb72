"""What each figure of causes, calibration and stability counts, in words that can be attacked."""

CAUSES = """## Causes as sets

What the planner's trace cites beside what the label of the same moment cites. F1 is twice the causes in both over the
causes of either trace; "mean F1" is worked out moment by moment, the other one over all causes together. The label is
the expert's, put to the test by re-simulation only in part ([how good labels are](label-quality.md)). The two trivial
planners are given what is hardest: the first knows when the label cites anything. Repeating the expert's causes of half
a second ago is no planner either, since a planner does not have them; whoever does not beat it has shown little.
"""

CALIBRATION = """## Calibration

Does what is said with a probability come true as often? "Stated" is the mean probability of the most probable value
(among the legal ones: that is what a planner chooses by), "true" how often it was the label's, "over-stated" the
difference. The error is the expected calibration error over 15 groups of equal mass. It is above 0 for anybody:
"by chance" is what the same probabilities would get if each of them were right, by simulation, with the value that
97.5 % of such draws are below; answers are taken to be independent there, and within a scene they are not, so the true
level is somewhat higher. "Corrected" takes away what the bootstrap says that chance adds; the interval is around that,
not around the error. The Brier score is over all values of a slot (0 best), its skill is against whoever always states
the shares of these very labels (1 best, 0 none).

Decisions are judged twice. *After the planner's own words* is what a user meets: the planner writes its trace freely,
and what it then decides is held against the label. If it has misread the scene before, that counts. *After the label's
words* (teacher-forced) asks the decision alone. All other slots are judged after the label's words only: after other
words the third entity, say, is another one, and the label has nothing to say of it. Pointers are left out, since their
set is another one at each moment; so is `changed`, which depends on whose last decision is meant. Right means "as the
label", whose own errors no probability of the planner knows.
"""

STABILITY = """## Stability

A step is from one decision to the next, half a second later. A planner has to decide anew where the world changes, so
what is steady enough is the expert's own on the same scenes, in the same world. At the expert's states the planner's
plans are not driven: two plans that follow one another begin where the expert went, which sets them apart too. Driving
itself, the planner sees other states than the expert did. "Taken back" means that the decision of before the change is
taken again within 1 s. Causes that stay: of the causes (axis and what is pointed at) before or after a step the share
that is in both, over steps that have any. Plans are compared at the same moment of world time, 2 s and 4 s after the
later one was made, in metres.
"""
