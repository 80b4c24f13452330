"""What people write to train who know Keras or Lightning, and what it is called here: for errors that say it."""

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
