"""Augmentation as part of the program: random changes of the training examples that leave their meaning as it is.

An augmentation is a frozen specification that works on whole batches, inside the program that trains. What it draws
for an example depends on the seed, the epoch and the number of the example, and on nothing else: not on the batch,
the device, or where training was interrupted.
"""

from weft.augment.affine import Affine, Rotate
from weft.augment.augmentation import Augmentation, PictureAugmentation
from weft.augment.colour import ColorJitter, Grayscale, Hue, Saturation
from weft.augment.combining import Compose, Sometimes, as_augmentation
from weft.augment.crops import Cutout, RandomCrop, RandomErasing
from weft.augment.draws import beta, bits, example_keys, fold, normal, uniform
from weft.augment.flips import HorizontalFlip, VerticalFlip
from weft.augment.light import Brightness, Contrast
from weft.augment.mixing import CutMix, LabelSmoothing, MixUp
from weft.augment.noise import FeatureDropout, GaussianNoise
from weft.augment.preview import plot, preview

__all__ = [
    "Affine",
    "Augmentation",
    "Brightness",
    "ColorJitter",
    "Compose",
    "Contrast",
    "CutMix",
    "Cutout",
    "FeatureDropout",
    "GaussianNoise",
    "Grayscale",
    "HorizontalFlip",
    "Hue",
    "LabelSmoothing",
    "MixUp",
    "PictureAugmentation",
    "RandomCrop",
    "RandomErasing",
    "Rotate",
    "Saturation",
    "Sometimes",
    "VerticalFlip",
    "as_augmentation",
    "beta",
    "bits",
    "example_keys",
    "fold",
    "normal",
    "plot",
    "preview",
    "uniform",
]
