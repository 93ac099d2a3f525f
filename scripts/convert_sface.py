"""Convert OpenCV Zoo's SFace to the smaller and faster ONNX file that the package carries.

    python scripts/convert_sface.py face_recognition_sface_2021dec.onnx -o audit/instruments/weights

Needs ``onnx`` (1.23.2 made the committed file), which is not a dependency of the package. The same input gives the same
bytes. Four things change:

- Constants are no longer inputs of the graph, which lets ONNX Runtime fold batch norm into the convolutions.
- Kernels are stored in 16 bits and widened when the file is loaded.
- The file is stored in byte planes (:mod:`audit.core.byte_planes`).
- PReLU is written as ``slope * x + (1 - slope) * relu(x)``, since ONNX Runtime's own takes half of the network's time.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from audit.core.byte_planes import SUFFIX, pack

SOURCE_SHA256 = "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79"
TARGET = "sface-2021dec-half.onnx"
SMALL = 1024
"""Tensors with fewer numbers keep their 32 bits."""


def convert(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, changed in place as the module's docstring says."""
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    del graph.input[:]
    graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 4)  # below, every constant must be an input

    kernels = {name for node in graph.node if node.op_type in ("Conv", "Gemm") for name in node.input[1:2]}
    nodes = []
    for name in sorted(kernels):
        kernel = numpy_helper.to_array(constants[name])
        if kernel.size < SMALL:
            continue
        half = f"{name}_half"
        constants[name].CopyFrom(numpy_helper.from_array(kernel.astype(np.float16), half))
        nodes.append(helper.make_node("Cast", [half], [name], name=f"{name}_wide", to=TensorProto.FLOAT))
    for node in graph.node:
        if node.op_type != "PRelu":
            nodes.append(node)
            continue
        (x, slope), (y,) = node.input, node.output
        rest = 1 - numpy_helper.to_array(constants[slope])
        graph.initializer.append(numpy_helper.from_array(rest.astype(np.float32), f"{y}_rest"))
        nodes += [
            helper.make_node("Relu", [x], [f"{y}_relu"], name=f"{y}_relu"),
            helper.make_node("Mul", [x, slope], [f"{y}_below"], name=f"{y}_below"),
            helper.make_node("Mul", [f"{y}_relu", f"{y}_rest"], [f"{y}_above"], name=f"{y}_above"),
            helper.make_node("Add", [f"{y}_below", f"{y}_above"], [y], name=y),
        ]
    del graph.node[:]
    graph.node.extend(nodes)
    helper.set_model_props(
        model,
        {
            "source": "OpenCV Zoo, models/face_recognition_sface, face_recognition_sface_2021dec.onnx (Apache-2.0)",
            "source_sha256": SOURCE_SHA256,
            "changes": "constants are not inputs; kernels in 16 bits; PReLU written with ReLU",
        },
    )
    onnx.checker.check_model(model)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="face_recognition_sface_2021dec.onnx")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the weights")
    arguments = parser.parse_args()
    content = arguments.source.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SOURCE_SHA256:
        raise SystemExit(f"{arguments.source} has the sha256 {digest}. Allowed: {SOURCE_SHA256}.")
    made = convert(onnx.load_from_string(content)).SerializeToString(deterministic=True)
    target: Path = arguments.out / f"{TARGET}{SUFFIX}"
    target.write_bytes(pack(made))
    print(f"{target}: {len(made)} bytes unpacked, sha256 {hashlib.sha256(made).hexdigest()}")


if __name__ == "__main__":
    main()
