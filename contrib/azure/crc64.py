"""CRC-64 as Azure Storage has it (x-ms-content-crc64): the polynomial of NVMe, reflected."""

import base64

POLYNOMIAL = 0x9A6C9329AC4BC9B5
ONES = (1 << 64) - 1


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
    return byte


TABLE = [_entry(byte) for byte in range(256)]


def crc64(content: bytes) -> str:
    """As the header has it: base64 of the value's eight bytes, least significant first."""
    value = ONES
    for byte in content:
        value = TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return base64.b64encode((value ^ ONES).to_bytes(8, "little")).decode()
