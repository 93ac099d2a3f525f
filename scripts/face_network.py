"""The face network as a torch module, for training: loaded from ``faceres.onnx``, and written as an ONNX file.

Needs ``onnx`` (1.23.2 made the committed file), which is not a dependency of the package. Kernels are stored in 16 bits
and widened when the file is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from scripts.convert_faceres import BGR_MEANS, STRIDES, Graph

LAYERS = 1 + 2 * len(STRIDES)
"""The first convolution, and a depthwise and a pointwise one for each stride."""
TAPS = (18, 22)
"""The layers, besides the last, whose means are features: conv_pw_9 and conv_pw_11."""
UPPER_ROWS = 3
"""Of the last layer's seven rows; their mean and that of the lower four are features, too."""
HEADS = {"race": 7, "gender": 1, "age": 9}

Tensors = Mapping[str, torch.Tensor]


class Layer(nn.Module):
    """A convolution with ReLU6. Strided ones pad below and to the right only, as TensorFlow's do."""

    def __init__(self, kernel: NDArray[np.float32], bias: NDArray[np.float32], stride: int, groups: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.tensor(kernel)), nn.Parameter(torch.tensor(bias))
        self.stride, self.groups, self.size = stride, groups, kernel.shape[2]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        padding = 1 if self.size == 3 and self.stride == 1 else 0
        if self.stride == 2:
            x = nn.functional.pad(x, (0, 1, 0, 1))
        return nn.functional.relu6(
            nn.functional.conv2d(x, self.weight, self.bias, self.stride, padding, groups=self.groups)
        )


class Trunk(nn.Module):
    """MobileNet v1 (Howard et al. 2017, table 1) without its classifier; pictures are BGR, [n, 3, 224, 224]."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        arrays = {
            tensor.name: numpy_helper.to_array(tensor).astype(np.float32)
            for tensor in onnx.load(path).graph.initializer
        }
        layers = [Layer(arrays["conv1_kernel"], arrays["conv1_bias"], 2, 1)]
        for number, stride in enumerate(STRIDES, 1):
            kernel = arrays[f"conv_dw_{number}_kernel"]
            layers.append(Layer(kernel, arrays[f"conv_dw_{number}_bias"], stride, kernel.shape[0]))
            layers.append(Layer(arrays[f"conv_pw_{number}_kernel"], arrays[f"conv_pw_{number}_bias"], 1, 1))
        self.layers = nn.ModuleList(layers)
        self.register_buffer("means", torch.tensor(BGR_MEANS).view(1, 3, 1, 1))

    def forward(self, pictures: torch.Tensor, frozen: int = 0) -> torch.Tensor:
        """The 5,120 features of each picture; the first ``frozen`` layers are passed without gradients."""
        x, taps = pictures - self.means, []
        for number, layer in enumerate(self.layers):
            with torch.set_grad_enabled(torch.is_grad_enabled() and number >= frozen):
                x = layer(x)
            if number in TAPS:
                taps.append(x.float().mean((2, 3)))
        x = x.float()
        taps += [x.mean((2, 3)), x.amax((2, 3)), x[:, :, :UPPER_ROWS].mean((2, 3)), x[:, :, UPPER_ROWS:].mean((2, 3))]
        return torch.cat(taps, 1)


class Heads(nn.Module):
    """A linear layer for each attribute on the standardised features, with dropout before it."""

    def __init__(self, mean: torch.Tensor, spread: torch.Tensor, dropout: float) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("sd", spread)
        self.dropout = nn.Dropout(dropout)
        for head, size in HEADS.items():
            layer = nn.Linear(len(mean), size)
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
            setattr(self, head, layer)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, ...]:
        z = self.dropout((features - self.mean) / self.sd)
        return tuple(getattr(self, head)(z) for head in HEADS)


class FaceNet(nn.Module):
    """Trunk and heads: the logits of race, gender and age. The trunk computes in bfloat16 while it trains."""

    def __init__(self, trunk: Trunk, heads: Heads, frozen: int) -> None:
        super().__init__()
        self.trunk, self.heads, self.frozen = trunk, heads, frozen

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        with torch.autocast("cpu", torch.bfloat16):
            features = self.trunk(pictures, self.frozen)
        logits: tuple[torch.Tensor, ...] = self.heads(features)
        return logits


def stored(kernel: NDArray[np.float32]) -> NDArray[np.generic]:
    """A kernel as the file stores it: in 16 bits, unless it is small."""
    return kernel.astype(np.float16) if kernel.size >= 512 else kernel


def onnx_bytes(tensors: Tensors, temperatures: Mapping[str, float], age_shifts: NDArray[np.float64]) -> bytes:
    """The network as an ONNX file: equal input gives equal bytes.

    Its input ``pictures`` is float32, BGR, 0 to 255, [n, 224, 224, 3]. Its outputs are the logits ``race`` [n, 7],
    ``gender`` [n, 1] and ``age`` [n, 9], divided by the heads' temperatures, with the shifts added to those of age, and
    ``feature`` [n, 1024]: the mean of the last layer.
    """
    graph = Graph()
    arrays = {name: tensor.detach().numpy() for name, tensor in tensors.items()}
    graph.constant("zero", np.array(0, np.float32))
    graph.constant("six", np.array(6, np.float32))
    means = graph.constant("means", np.array(BGR_MEANS, np.float32))
    x = graph.node("Sub", ["pictures", means], "centred")
    x = graph.node("Transpose", [x], "channels_first", perm=[0, 3, 1, 2])
    taps = []
    for layer in range(LAYERS):
        kernel, bias = arrays[f"trunk.layers.{layer}.weight"], arrays[f"trunk.layers.{layer}.bias"]
        block, depthwise = (layer + 1) // 2, layer % 2 == 1
        name = "conv1" if layer == 0 else f"conv_{'dw' if depthwise else 'pw'}_{block}"
        stride = 2 if layer == 0 else STRIDES[block - 1] if depthwise else 1
        x = graph.convolution(name, x, stored(kernel), bias, stride, group=kernel.shape[0] if depthwise else 1)
        if layer in TAPS:
            taps.append(graph.node("GlobalAveragePool", [x], f"{name}_mean"))
    first, middle, last, axis = (
        graph.constant(name, np.array([value], np.int64))
        for name, value in (("first_row", 0), ("middle_row", UPPER_ROWS), ("last_row", 7), ("row_axis", 2))
    )
    upper = graph.node("Slice", [x, first, middle, axis], "upper")
    lower = graph.node("Slice", [x, middle, last, axis], "lower")
    pooled = graph.node("GlobalAveragePool", [x], "mean")
    taps += [pooled, graph.node("GlobalMaxPool", [x], "max")]
    taps += [graph.node("GlobalAveragePool", [part], f"{part}_mean") for part in (upper, lower)]
    features = graph.node("Flatten", [graph.node("Concat", taps, "taps", axis=1)], "features", axis=1)

    centre, spread = (arrays[f"heads.{name}"].astype(np.float64) for name in ("mean", "sd"))
    for head in HEADS:
        weight = arrays[f"heads.{head}.weight"] / spread
        bias = (arrays[f"heads.{head}.bias"] - weight @ centre) / temperatures.get(head, 1.0)
        if head == "age":
            bias = bias + age_shifts
        weight = (weight / temperatures.get(head, 1.0)).astype(np.float32)
        inputs = [
            graph.constant(f"{head}_weight", stored(weight)),
            graph.constant(f"{head}_bias", bias.astype(np.float32)),
        ]
        graph.node("Gemm", [features, *inputs], head, transB=1)
    graph.node("Flatten", [pooled], "feature", axis=1)

    sizes = HEADS | {"feature": arrays[f"trunk.layers.{LAYERS - 1}.bias"].size}
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in sizes.items()]
    pictures = helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["n", 224, 224, 3])
    made = helper.make_graph(graph.nodes, "faces", [pictures], outputs, graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], producer_name="train_network")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
