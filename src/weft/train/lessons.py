"""What people write to train who know Keras or Lightning, and what it is called here: for errors that say it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from weft.nn.lessons import misfit

F = TypeVar("F", bound=Callable[..., Any])

TRAINER = {
    "max_epochs": "fit(…, epochs=20)",
    "epochs": "fit(…, epochs=20)",
    "batch_size": "fit(…, batch_size=32)",
    "accelerator": 'model.to("gpu:0")',
    "devices": "mesh=wf.Mesh(data=-1)",
    "strategy": "mesh=wf.Mesh(data=-1)",
    "logger": 'callbacks=[wf.callbacks.CSVLog("log.csv")]',
    "gradient_clip_val": "optimizer=optim.Adam(1e-3, clip_norm=1.0)",
    "accumulate_grad_batches": "fit(…, pieces=4)",
    "lr": "optimizer=optim.Adam(1e-3)",
    "learning_rate": "optimizer=optim.Adam(1e-3)",
}
FIT = {
    "x": "by position: fit((x, y), …)",
    "y": "by position: fit((x, y), …)",
    "validation_split": "validation=0.2",
    "validation_data": "validation=(x, y)",
    "val_dataloaders": "validation=",
    "train_dataloaders": "by position: fit(data, …)",
    "callbacks": "Trainer(…, callbacks=[…])",
    "class_weight": "Trainer(model, nn.CrossEntropyLoss(weight=…))",
    "sample_weight": "a step of one's own, with the weights among the inputs",
    "initial_epoch": "fit again, which goes on; or resume=True with a folder",
    "ckpt_path": "folder=…, resume=True",
    "max_epochs": "epochs=",
}


def taught(words: Mapping[str, str]) -> Callable[[F], F]:
    """A method whose refusal of arguments that it does not take is a lesson, with ``words`` for the names of others."""

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def call(self: Any, *arguments: Any, **options: Any) -> Any:
            try:
                return method(self, *arguments, **options)
            except TypeError as error:
                if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                    raise  # from within: the arguments themselves were taken
                name = "Trainer" if method.__name__ == "__init__" else f"Trainer.{method.__name__}"
                raise misfit(name, method, options, error, words) from None

        made: Any = call
        made.__code__ = made.__code__.replace(co_name=method.__name__)  # by which errors name what was called
        return made

    return decorate
