"""Chapter 6: ten epochs on y = 2x + 1."""

from app.pages.lessons import training_calls as calls
from app.pages.lessons.step import Chapter, Choice, Option, Step, Training, Typed
from app.translation import N_

CHAPTER = Chapter(
    key="training",
    title=N_("Training"),
    about=N_("Ten epochs on y = 2x + 1: loss, gradients, steps, and what they come to."),
    words=("MSELoss", "SGD", "zero_grad", "backward", "step"),
    root={"weight": 0.9385080337524414, "bias": 0.5002855658531189, "children": {"sub1": {}}},
    steps=(
        Step(
            title=N_("The data and the loss"),
            prose=(
                N_(
                    "The model is to learn y = 2x + 1 from ten points, x = 0 to 9. `view(-1, 1)` makes a table of "
                    "them, a row for each point and a column for each feature: the shape that most modules want."
                ),
                N_(
                    "`nn.MSELoss` is the mean of the squared differences. A fresh tree of this chapter starts with "
                    "weight 0.9385 and bias 0.5003, and its loss is 37.1365."
                ),
            ),
            example=calls.loss_before,
            question=Typed(
                ask=N_("What is the loss of a model with weight 2 and bias 1?"),
                answer=lambda _: 0,
                why=N_("%(answer)s: each prediction is the point itself, and no loss of this kind is lower."),
                hint=N_("Such a model predicts 2x + 1. By how much does it miss the points?"),
            ),
        ),
        Step(
            title=N_("One step"),
            prose=(
                N_(
                    "A step has five parts. Call the model for its prediction. Take the loss. Clear the old gradients. "
                    "`loss.backward()` writes into `grad` of each parameter how the loss changes with it. "
                    "`optimizer.step()` moves each parameter against its gradient, `lr` times as far."
                ),
                N_("Which parameters may be moved, the optimizer is told once: `model.parameters()`."),
            ),
            example=calls.one_step,
            question=Choice(
                ask=N_("What happens in a loop without `zero_grad()`?"),
                right="sum",
                options={
                    "error": Option(
                        N_("`backward` raises an error"),
                        N_(
                            "Nothing is raised, and that makes it easy to miss: `backward` adds to what `grad` holds, "
                            "so each step goes by the sum of all gradients so far."
                        ),
                    ),
                    "sum": Option(
                        N_("Gradients add up from step to step"),
                        N_(
                            "`backward` adds to what `grad` holds. That is of use to build one step from several "
                            "batches, and a mistake otherwise."
                        ),
                    ),
                    "same": Option(
                        N_("Nothing, `step` clears them"),
                        N_("`step` reads the gradients and leaves them. `backward` then adds the next ones to them."),
                    ),
                },
            ),
        ),
        Training(
            title=N_("Ten epochs"),
            prose=(
                N_(
                    "An epoch goes through the data once, which is one step here. Train, and a worker of this server "
                    "runs the loop on your tree; each line that is printed is the loss of an epoch, taken before its "
                    "step, as it arrives. From a fresh tree the first are 37.1365, 6.4403 and 1.1369."
                ),
                N_("When the run has ended, its parameters become the next revision of the tree."),
            ),
            example=calls.train,
            question=Typed(
                ask=N_("Which slope has the model learned? Give four digits after the point."),
                answer=lambda model: model.weight.item(),
                why=N_("%(answer)s, where the data has 2. The bias is slower to come: its gradient is smaller."),
                hint=N_("The slope is what x is multiplied with: `weight`. The tree shows its value."),
            ),
            is_done=calls.is_trained,
        ),
        Step(
            title=N_("Predict with it"),
            prose=(
                N_(
                    "The trained model is called as before: on the ten points, and at x = 10, which it has not seen. "
                    "The rule says 21."
                ),
                N_(
                    "Both answers carry a `grad_fn`, since torch goes on remembering how they came about. Around calls "
                    "that only predict, `torch.no_grad()` spares it that."
                ),
            ),
            example=calls.predict,
            question=Typed(
                ask=N_("By how much is the model off at x = 10? Two digits after the point will do."),
                answer=calls.miss,
                why=N_("%(answer)s: ten times the error of the weight and the error of the bias, with their signs."),
                hint=N_("The difference between the last number printed and 21."),
                tolerance=0.0051,
            ),
            needs=3,
        ),
        Training(
            title=N_("Another learning rate"),
            prose=(
                N_(
                    "`lr` scales every step. If it is small, ten epochs lead nowhere near; if it is large, each step "
                    "lands further off than it began. For these ten points the border is 2 / 58.4 = 0.0342, where 58.4 "
                    "is the curvature of the loss in its steepest direction."
                ),
                N_(
                    "From a fresh tree, lr 0.1 takes the loss from 37.14 to 870.5 and 20,422 and on. A run starts from "
                    "what the tree holds: Undo first, to start where the first one did."
                ),
            ),
            example=calls.train_at,
            question=Choice(
                ask=N_("With which of these learning rates does the loss grow?"),
                right="large",
                options={
                    "small": Option(
                        "0.01",
                        N_(
                            "Well below the border: in the steepest direction each step leaves 1 − 0.01 × 58.4 = 0.42 "
                            "of the error. The loss falls quickly."
                        ),
                        is_code=True,
                    ),
                    "near": Option(
                        "0.03",
                        N_(
                            "Near the border, and still below: each step turns the error into −0.75 of itself. The "
                            "model swings from side to side, and the loss falls."
                        ),
                        is_code=True,
                    ),
                    "large": Option(
                        "0.1",
                        N_(
                            "Each step turns the error in the steepest direction into 1 − 0.1 × 58.4 = −4.8 times "
                            "itself, and the loss grows by the square of that, some 23-fold each epoch."
                        ),
                        is_code=True,
                    ),
                },
            ),
            lr=0.1,
        ),
        Step(
            title=N_("A child that is never called"),
            prose=(
                N_(
                    "This tree has a child, and `model.parameters()` lists its two parameters. Training has left them "
                    "as they were: the forward of LinearModel does not call `sub1`, so the loss does not depend on it, "
                    "and `backward` leaves its `grad` at None. None is not 0. Nothing was computed, and the optimizer "
                    "passes over it."
                ),
                N_(
                    "Hand the result on, `model.sub1(model(x))`, and the gradient arrives. The server builds trees "
                    "with such a forward too, under the name chain."
                ),
            ),
            example=calls.reach,
            question=Choice(
                ask=N_("After `backward`, the `grad` of a parameter is None. What do you look at first?"),
                right="forward",
                options={
                    "lr": Option(
                        N_("Whether lr is too small"),
                        N_("`backward` knows no lr: that scales the step afterwards. See whether `forward` uses it."),
                    ),
                    "forward": Option(
                        N_("Whether `forward` uses it"),
                        N_("A gradient comes back along the way that the numbers went. What was not called gets none."),
                    ),
                    "zero": Option(
                        N_("Whether its value is 0"),
                        N_("A parameter that is 0 gets a gradient like any other. See whether `forward` uses it."),
                    ),
                },
            ),
        ),
    ),
)
