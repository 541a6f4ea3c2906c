"""Pillow: pictures and fonts that are open since the import, and new ones; what is
written is equal byte for byte."""
from workloads import PYTHON, preload, write

PACKAGES = "python3-pil fonts-dejavu-core"
ENV = {}

STATE = '''"""What an application makes at its import."""
from PIL import Image, ImageCms, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

FONT = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 24)
SRGB = ImageCms.createProfile("sRGB")
TO_LAB = ImageCms.buildTransform(SRGB, ImageCms.createProfile("LAB"), "RGB", "LAB")


def gradient(size):
    image = Image.new("RGB", size)
    image.putdata([(x * 255 // size[0], y * 255 // size[1], (x ^ y) & 255)
                   for y in range(size[1]) for x in range(size[0])])
    return image


LOGO = gradient((64, 48))
LOGO.load()
Image.preinit()
'''

PROGRAM = '''import io
import os
import sys
from concurrent.futures import ThreadPoolExecutor
import state
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps, features


def badge(text, name, **options):
    image = state.LOGO.resize((320, 240), Image.LANCZOS)
    draw = ImageDraw.Draw(image)
    draw.ellipse((20, 20, 300, 220), outline="white", width=5)
    draw.text((40, 100), text, font=state.FONT, fill="yellow", stroke_width=1)
    image.save(name, **options)
    return name


def main():
    print(badge("J\\xf6rg \\u20ac", "badge.png"), badge("jpeg", "badge.jpg", quality=85))
    for name in "badge.webp", "badge.gif", "badge.tiff", "badge.bmp":
        badge("other", name)
    for name in sorted(os.listdir(".")):
        if name.startswith("badge"):
            with Image.open(name) as image:
                print(name, image.format, image.mode, image.size,
                      sum(image.convert("L").histogram()[100:]))
    image = Image.open("badge.png")
    image = ImageOps.autocontrast(ImageEnhance.Color(image.filter(
        ImageFilter.GaussianBlur(2))).enhance(1.5)).rotate(30, expand=True)
    image.thumbnail((100, 100))
    image.quantize(16).save("small.png", optimize=True)
    print(state.FONT.getbbox("Width"), state.FONT.getname(), state.FONT.path)
    print(ImageFont.truetype("DejaVuSansMono.ttf", 10).getlength("length"))
    print(state.ImageCms.applyTransform(state.LOGO, state.TO_LAB).getpixel((30, 30)))
    with ThreadPoolExecutor(4) as pool:
        print(*pool.map(lambda n: hash_of(badge("t%d" % n, "t%d.png" % n)), range(8)))
    print(features.version("freetype2"), features.check("raqm"), Image.registered_extensions()
          [".png"], len(Image.ID))
    Image.open(io.BytesIO(b"no picture"))


def hash_of(name):
    import hashlib
    with open(name, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


if "--once" in sys.argv:
    print(badge("Once", "once.png"))
else:
    main()
'''


def arrange(home):
    write(home, "state.py", STATE)
    write(home, "program.py", PROGRAM)
    preload(home, "state")


def build(home):
    return ["-w", home + "/preload.py"]


def mask(data):
    """An object's repr() tells its address."""
    import re
    return re.sub(rb"object at 0x[0-9a-f]+", rb"object at ADDRESS", data)


def runs(home):
    once = [home + "/program.py", "--once"]
    full = [home + "/program.py"]
    files = ["badge." + kind for kind in "png jpg webp gif tiff bmp".split()]
    return {
        "a picture": dict(plain=[PYTHON, *once], image=once, bench=True, files=["once.png"]),
        "everything": dict(plain=[PYTHON, *full], image=full, files=["small.png", *files],
                           mask=mask),
    }
