"""bind_undo.py FOLDER: gives undo files of enrgdaq 0.1.0 (EHUNDO01) the inodes that their files have since the folder was
unpacked. That version knew a file by its inode, and an upgrade in place keeps it."""
import os
import pathlib
import struct
import sys

HEAD = struct.Struct("<8sQQQQQ")  # magic, inode, commit, length, pages, sum


def add_sum(total, data):
    for (word,) in struct.iter_unpack("<Q", data):
        total = (total ^ word) * 0x9E3779B97F4A7C15 % 2**64
        total ^= total >> 29
    return total


for path in pathlib.Path(sys.argv[1]).glob(".*.h5.undo"):
    data = path.read_bytes()
    magic, _, commit, length, pages, total = HEAD.unpack_from(data)
    if magic != b"EHUNDO01" or add_sum(add_sum(1, data[:40]), data[48:48 + pages * 4104]) != total:
        sys.exit(f"{path}: is no undo file of that version")
    inode = os.stat(path.with_name(path.name[1:-5])).st_ino
    head = HEAD.pack(magic, inode, commit, length, pages, 0)[:40]
    total = add_sum(add_sum(1, head), data[48:48 + pages * 4104])
    path.write_bytes(head + struct.pack("<Q", total) + data[48:])
