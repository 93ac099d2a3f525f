"""How often a detector finds a face where there is none.

    python -m benchmarks.false_detections [--detector yunet] [--seeds 5] [--write FOLDER]

Each seed makes 200 pictures of 224 pixels, 50 of each kind: noise, textures, skin-coloured blobs, and scenes.
Seed 0 is the set whose count is published. ``--write`` keeps the pictures of seed 0 as PNG files.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from audit.instruments.faces import FaceFinder
from audit.instruments.registry import DETECTOR

SIDE, SEED = 224, 0
Image = NDArray[np.uint8]
Array = NDArray[Any]
SKIN = np.array(
    [[197, 224, 255], [125, 172, 224], [80, 120, 180], [45, 80, 130], [30, 50, 80], [140, 185, 240]], float
)  # BGR


def fractal(r: np.random.Generator, n: int = SIDE, power: float = 1.0, channels: int = 1) -> Array:
    """Noise with the spectrum f^-power, scaled to 0..1."""
    fy, fx = np.meshgrid(np.fft.fftfreq(n), np.fft.fftfreq(n), indexing="ij")
    f = np.hypot(fy, fx)
    f[0, 0] = 1
    out = []
    for _ in range(channels):
        x = np.fft.ifft2(np.fft.fft2(r.standard_normal((n, n))) / f**power).real
        x = (x - x.min()) / (np.ptp(x) + 1e-9)
        out.append(x)
    return np.stack(out, -1)


def noise(r: np.random.Generator) -> Array:
    """White, grey, fractal or smooth noise."""
    kind = r.integers(5)
    if kind == 0:
        x = r.random((SIDE, SIDE, 3))
    elif kind == 1:
        x = np.repeat(r.random((SIDE, SIDE, 1)), 3, 2)
    elif kind == 2:
        x = fractal(r, power=r.uniform(0.5, 2), channels=3)
    elif kind == 3:
        x = np.repeat(fractal(r, power=r.uniform(1, 2.2)), 3, 2)
    else:
        k = int(r.integers(4, 40))
        x = cv2.resize(r.random((k, k, 3)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return x * 255


def texture(r: np.random.Generator) -> Array:
    """Stripes, checks, rings, bricks, wood or dots."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    a, period = r.uniform(0, np.pi), r.uniform(6, 60)
    u, v = x * np.cos(a) + y * np.sin(a), -x * np.sin(a) + y * np.cos(a)
    kind = r.integers(6)
    if kind == 0:
        t = 0.5 + 0.5 * np.sin(2 * np.pi * u / period)
    elif kind == 1:
        t = ((u // period).astype(int) + (v // period).astype(int)) % 2
    elif kind == 2:
        t = 0.5 + 0.5 * np.sin(np.hypot(x - r.uniform(0, SIDE), y - r.uniform(0, SIDE)) * 2 * np.pi / period)
    elif kind == 3:  # bricks
        row = v // period
        t = (((u + period * (row % 2)) % (2 * period)) > 2) & ((v % period) > 2)
    elif kind == 4:  # wood
        t = 0.5 + 0.5 * np.sin(2 * np.pi * (u / period + 3 * fractal(r, power=2)[..., 0]))
    else:  # dots
        t = np.hypot(u % period - period / 2, v % period - period / 2) < period / 3.2
    low, high = r.uniform(0, 255, 3), r.uniform(0, 255, 3)
    out = low + (high - low) * np.asarray(t, float)[..., None]
    return out + r.normal(0, r.uniform(0, 15), out.shape)


def blob(r: np.random.Generator) -> Array:
    """Skin-coloured ellipses (as hands, arms, bellies), shaded, some with dark strands; no eyes, nose or mouth."""
    out = fractal(r, power=1.5, channels=3) * r.uniform(40, 255, 3)
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    for _ in range(int(r.integers(1, 5))):
        cx, cy = r.uniform(40, 184, 2)
        w, h = r.uniform(20, 95, 2)
        a = r.uniform(0, np.pi)
        u = ((x - cx) * np.cos(a) + (y - cy) * np.sin(a)) / w
        v = (-(x - cx) * np.sin(a) + (y - cy) * np.cos(a)) / h
        d = u * u + v * v
        colour = SKIN[r.integers(len(SKIN))] * r.uniform(0.8, 1.1)
        light = np.clip(1.1 - 0.5 * d + 0.3 * (u * np.cos(r.uniform(0, 6)) + v * np.sin(r.uniform(0, 6))), 0.2, 1.3)
        edge = 1 / (1 + np.exp(np.minimum((d - 1) * 12, 50)))
        out = out * (1 - edge[..., None]) + colour * light[..., None] * edge[..., None]
    if r.random() < 0.4:
        shade = np.clip(out, 0, 255).astype(np.uint8).copy()
        for _ in range(int(r.integers(20, 120))):
            p = r.integers(0, SIDE, 2)
            q = p + r.integers(-60, 60, 2)
            cv2.line(
                shade,
                tuple(map(int, p)),
                tuple(map(int, q)),
                tuple(map(int, r.integers(0, 60, 3))),
                int(r.integers(1, 4)),
            )
        out = shade.astype(float)
    return out + r.normal(0, 4, out.shape) + 18 * (fractal(r, power=1) - 0.5)


def scene(r: np.random.Generator) -> Array:
    """Sky, hills, trees, water, houses, fruit or bokeh."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    kind = r.integers(4)
    out = np.linspace(0, 1, SIDE)[:, None, None] * (r.uniform(120, 255, 3) - r.uniform(80, 255, 3)) + r.uniform(
        80, 255, 3
    )
    out = np.repeat(out, SIDE, 1) + 60 * (fractal(r, power=1.8) - 0.5)
    if kind == 0:  # hills and trees
        for _ in range(int(r.integers(2, 6))):
            line = r.uniform(80, 200) + 40 * np.interp(np.arange(SIDE), np.linspace(0, SIDE, 9), r.normal(0, 1, 9))
            colour = np.array([r.uniform(20, 90), r.uniform(50, 150), r.uniform(20, 110)])
            out = np.where((y > line[None])[..., None], colour * (0.6 + 0.8 * fractal(r, power=0.8)), out)
        for _ in range(int(r.integers(0, 14))):
            cx, cy, s = r.uniform(0, SIDE), r.uniform(90, 210), r.uniform(8, 35)
            crown = (
                np.hypot((x - cx) / s, (y - cy) / s / r.uniform(0.8, 1.6)) + 0.7 * (fractal(r, power=1.2)[..., 0] - 0.5)
                < 1
            )
            out = np.where(crown[..., None], np.array([30, 90, 40]) * (0.4 + fractal(r, power=0.7)), out)
            trunk = (abs(x - cx) < s / 8) & (y > cy + s * 0.8) & (y < cy + 2 * s)
            out[trunk] = (30, 50, 80)
    elif kind == 1:  # houses with windows
        for _ in range(int(r.integers(2, 7))):
            x0, w, top = r.uniform(-20, 190), r.uniform(30, 90), r.uniform(40, 150)
            body = (x > x0) & (x < x0 + w) & (y > top)
            out[body] = r.uniform(40, 220, 3)
            px, py = r.uniform(10, 22), r.uniform(12, 26)
            window = body & ((x - x0) % px > px * 0.5) & ((y - top) % py > py * 0.55)
            out[window] = r.uniform(0, 120, 3)
    elif kind == 2:  # fruit on a table
        out = np.repeat(out.mean((0, 1), keepdims=True), SIDE, 0).repeat(SIDE, 1) * (0.7 + 0.6 * fractal(r, power=1.4))
        for _ in range(int(r.integers(3, 12))):
            cx, cy, s = r.uniform(20, 204), r.uniform(40, 204), r.uniform(14, 45)
            d = np.hypot(x - cx, y - cy) / s
            colour = np.array([[40, 60, 220], [60, 180, 230], [60, 160, 60], [90, 200, 240], [60, 110, 170]])[
                r.integers(5)
            ]
            shade = np.clip(1.2 - 0.7 * np.hypot(x - cx + s / 3, y - cy + s / 3) / s, 0.25, 1.2)
            out = np.where((d < 1)[..., None], colour * shade[..., None], out)
    else:  # lights out of focus
        out = out * 0.25
        for _ in range(int(r.integers(15, 60))):
            cx, cy, s = r.uniform(0, SIDE), r.uniform(0, SIDE), r.uniform(4, 26)
            d = np.hypot(x - cx, y - cy) / s
            out = out + (d < 1)[..., None] * r.uniform(10, 150, 3)
    return cv2.GaussianBlur(np.clip(out, 0, 255), (0, 0), r.uniform(0.3, 1.5)) + r.normal(0, 3, (SIDE, SIDE, 3))


def pictures(count: int = 200, seed: int = SEED) -> Iterator[tuple[str, Image]]:
    """(name, BGR uint8) of each picture; each has its own generator, so that a change to one kind leaves the others."""
    kinds = (noise, texture, blob, scene)
    for i in range(count):
        kind = kinds[i % 4]
        r = np.random.default_rng([seed, i])
        yield f"{i:03d}_{kind.__name__}", np.clip(kind(r), 0, 255).round().astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", default=DETECTOR)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--write", type=Path, help="folder for the pictures of seed 0")
    given = parser.parse_args()
    finder = FaceFinder(given.detector)
    for seed in range(given.seeds):
        found = [name for name, picture in pictures(seed=seed) if finder.faces(picture)]
        print(f"{given.detector}, seed {seed}: a face in {len(found)} of 200 pictures {', '.join(found)}".rstrip())
    if given.write:
        given.write.mkdir(parents=True, exist_ok=True)
        for name, picture in pictures():
            cv2.imwrite(str(given.write / f"{name}.png"), picture)


if __name__ == "__main__":
    main()
