"""The dataset's columns as the hub's `datasets` library describes them, derived from the Arrow schema."""

from typing import Any

import pyarrow as pa

IMAGES = "images"  # the column whose structs of bytes and path decode to images


def hub_features(schema: pa.Schema) -> dict[str, Any]:
    """The columns of `data/` for the metadata of its files, so that images decode."""
    return {
        field.name: {"feature": {"_type": "Image"}, "_type": "List"} if field.name == IMAGES else _feature(field.type)
        for field in schema
    }


def _feature(arrow_type: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(arrow_type):
        return {"feature": _feature(arrow_type.value_type), "_type": "List"}
    if pa.types.is_struct(arrow_type):
        return {field.name: _feature(field.type) for field in arrow_type}
    return {"dtype": dtype_name(arrow_type), "_type": "Value"}


def dtype_name(arrow_type: pa.DataType) -> str:
    """The hub's name of a type that holds single values."""
    if pa.types.is_fixed_size_binary(arrow_type):
        return "binary"
    return {"float": "float32", "double": "float64"}.get(str(arrow_type), str(arrow_type))
