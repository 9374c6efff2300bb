#!/usr/bin/env python3
"""Write torchvision.safetensors: what torchvision makes of two small images, for golden.c.

Needs torch, torchvision and safetensors; the tests themselves need none of them.
A tensor is named after the operation and its parameters; images are (H, W, C).
"""

import sys

import torch
import torchvision
from safetensors.torch import save_file
from torchvision.transforms.v2 import functional as f


def main(path: str) -> None:
    torch.manual_seed(1)
    colour = torch.randint(0, 256, (3, 12, 12), dtype=torch.uint8)
    colour[:, 0, :4] = torch.tensor([[0, 255, 90, 7], [0, 255, 90, 7], [0, 255, 90, 8]])
    grey = torch.randint(0, 256, (1, 14, 19), dtype=torch.uint8)
    x, y = f.to_dtype(colour, scale=True), f.to_dtype(grey, scale=True)
    tensors = {"colour": colour, "grey": grey}

    def crop(image, top, left, height, width, size):
        return f.resized_crop(image, top, left, height, width, [size, size], antialias=True)

    tensors["crop colour 1 2 9 7 8"] = crop(x, 1, 2, 9, 7, 8)
    tensors["crop colour 3 0 5 12 5"] = crop(x, 3, 0, 5, 12, 5)
    tensors["crop grey 0 0 14 19 6"] = crop(y, 0, 0, 14, 19, 6)
    tensors["crop grey 4 5 3 8 13"] = crop(y, 4, 5, 3, 8, 13)
    tensors["crop grey 13 18 1 1 4"] = crop(y, 13, 18, 1, 1, 4)
    for factor in (0.3, 1.6):
        tensors[f"brightness {factor}"] = f.adjust_brightness(x, factor)
        tensors[f"contrast {factor}"] = f.adjust_contrast(x, factor)
        tensors[f"saturation {factor}"] = f.adjust_saturation(x, factor)
    tensors["contrast of grey 1.6"] = f.adjust_contrast(y[:, :14, :14], 1.6)
    for turn in (-0.37, 0.1, 0.5):
        tensors[f"hue {turn}"] = f.adjust_hue(x, turn)
    tensors["grey of colour"] = f.rgb_to_grayscale(x, num_output_channels=3)
    for kernel, sigma in ((3, 0.4), (7, 1.7)):
        tensors[f"blur {kernel} {sigma}"] = f.gaussian_blur(x, [kernel, kernel], [sigma, sigma])
    tensors["solarise 0.5"] = f.solarize(x, 0.5)
    for angle in (-75, 30, 90):
        tensors[f"rotate {angle}"] = f.rotate(
            x, angle, interpolation=torchvision.transforms.InterpolationMode.BILINEAR
        )
    save_file({name: t.permute(1, 2, 0).contiguous() for name, t in tensors.items()}, path,
              {"made_with": f"torch {torch.__version__}, torchvision {torchvision.__version__}"})


main(sys.argv[1] if len(sys.argv) > 1 else "torchvision.safetensors")
