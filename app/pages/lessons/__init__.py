"""The lesson: chapters of steps, each with a call that is made on a live tree, and a question.

    a chapter's Steps (prose, Example, Question) -> run on the learner's tree -> what was printed, and a Verdict

What is shown of an example is the source of the function that is run, so that the two cannot part.
"""
