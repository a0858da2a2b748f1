"""The records of a zip as they lie in the file; PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5."""

from __future__ import annotations

import struct

END = struct.Struct("<4s4H2LH")
END_SIGNATURE = b"PK\x05\x06"
END64 = struct.Struct("<4sQ2H2L4Q")
END64_SIGNATURE = b"PK\x06\x06"
LOCATOR = struct.Struct("<4sLQL")
LOCATOR_SIGNATURE = b"PK\x06\x07"
CENTRAL = struct.Struct("<4s6H3L5H2L")
CENTRAL_SIGNATURE = b"PK\x01\x02"
LOCAL = struct.Struct("<4s5H3L2H")
LOCAL_SIGNATURE = b"PK\x03\x04"
EXTRA = struct.Struct("<2H")

FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
"""A field that holds this defers to the zip64 record."""

ZIP64_EXTRA, UNICODE_PATH_EXTRA = 0x0001, 0x7075

ENCRYPTED_FLAGS = 0x0001 | 0x0040 | 0x2000
SIZES_FOLLOW_FLAG = 0x0008
"""The local header leaves checksum and sizes to a record after the contents."""
UTF8_FLAG = 0x0800

STORED, DEFLATED = 0, 8
"""The two compression methods that every unzip reads."""
