"""An image file as bytes that can be changed here and there, by the layout in
include/image.h. For the tests of damaged, foreign and hostile images."""
import struct

PREFIX = 0x58
FIXED = 24	# bytes of the prefix from `size` to the path
PAGE = 4096
# Field: (offset in struct image_header, its format)
HEADER = {"meta_size": (0, "Q"), "handoff": (8, "Q"), "mapped": (16, "Q"),
          "python_hex": (24, "I"), "flags": (28, "I"), "locale": (32, "I"),
          "user_site": (36, "I"), "timezone": (40, "I")}
TABLES = ("guards", "hot", "reserves", "files", "names", "cpu", "strings", "report", "variables")
ELF = {"class": (4, "B"), "data": (5, "B"), "type": (16, "H"), "machine": (18, "H"),
       "entry": (24, "Q"), "phoff": (32, "Q"), "shoff": (40, "Q"),
       "phentsize": (54, "H"), "phnum": (56, "H"), "shnum": (60, "H")}
SEGMENT = {"type": (0, "I"), "flags": (4, "I"), "offset": (8, "Q"), "vaddr": (16, "Q"),
           "filesz": (32, "Q"), "memsz": (40, "Q")}
LOAD = 1


def fnv(data):
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return value


class Image:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = bytearray(file.read())

    def get(self, offset, form):
        return struct.unpack_from("<" + form, self.data, offset)[0]

    def put(self, offset, form, value):
        struct.pack_into("<" + form, self.data, offset, value)
        return self

    # ------------------------------------------------------------ prefix
    def python(self):
        start = PREFIX + 40
        return bytes(self.data[start:self.data.index(0, start)])

    def seal(self):
        """Make the prefix's checksum right again."""
        size = self.get(PREFIX + 16, "I")
        return self.put(PREFIX + 8, "Q", fnv(self.data[PREFIX + 16:PREFIX + 16 + size]))

    def set_format(self, value):
        return self.put(PREFIX + 20, "I", value).seal()

    def set_python(self, path):
        """Another interpreter's path, of the same length."""
        old = self.python()
        assert len(path) == len(old), (path, old)
        self.data[PREFIX + 40:PREFIX + 40 + len(old)] = path
        return self.seal()

    def set_file_size(self, value):
        return self.put(PREFIX + 24, "Q", value).seal()

    # ------------------------------------------------------------ header
    def header_place(self):
        size = self.get(0x44 + 4, "I")
        return ((PREFIX + size + 3) & ~7) + 4 + 12 + 8

    def field(self, name):
        offset, form = HEADER[name]
        return self.get(self.header_place() + offset, form)

    def set_field(self, name, value):
        offset, form = HEADER[name]
        return self.put(self.header_place() + offset, form, value)

    def table(self, name):
        place = self.header_place() + 48 + 8 * TABLES.index(name)
        return self.get(place, "I"), self.get(place + 4, "I")

    def set_table(self, name, offset=None, count=None):
        place = self.header_place() + 48 + 8 * TABLES.index(name)
        if offset is not None:
            self.put(place, "I", offset)
        if count is not None:
            self.put(place + 4, "I", count)
        return self

    # ------------------------------------------------------------ ELF
    def elf(self, name):
        offset, form = ELF[name]
        return self.get(offset, form)

    def set_elf(self, name, value):
        offset, form = ELF[name]
        return self.put(offset, form, value)

    def segments(self):
        """Places of the PT_LOADs' program headers, in the file's order."""
        places = [self.elf("phoff") + 56 * n for n in range(self.elf("phnum"))]
        return [p for p in places if self.get(p, "I") == LOAD]

    def segment(self, place, name):
        offset, form = SEGMENT[name]
        return self.get(place + offset, form)

    def set_segment(self, place, name, value):
        offset, form = SEGMENT[name]
        return self.put(place + offset, form, value)

    def write(self, path, size=None):
        with open(path, "wb") as file:
            file.write(self.data[:size])
        import os
        os.chmod(path, 0o755)
        return path
