"""Rows as lines of CSV, quoted only where a value needs it, and numbers so that readers take them for what they are."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

# From here on, numbers are written with a power of ten.
_POWERS = 1e10


def lines(rows: pa.Table | pa.RecordBatch) -> bytes:
    """Rows without a header.

    Parameters
    ----------
    rows
        Columns that CSV can hold: dictionaries stand for their words, nulls are empty.
    """
    # Names may repeat, and no header is written.
    columns = {str(k): _told(column) for k, column in enumerate(rows.columns)}
    table, sink = pa.table(columns), pa.BufferOutputStream()
    try:
        pcsv.write_csv(table, sink, pcsv.WriteOptions(include_header=False, quoting_style="none"))
    except pa.ArrowInvalid:
        return _quoted(table)
    return bytes(sink.getvalue())


def _told(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return _with_point(column) if pa.types.is_floating(column.type) else column


def _with_point(column: pa.Array) -> pa.Array:
    """Numbers as text, whole ones as 1.0: readers that guess a type from the first rows would take 1 for an integer."""
    text, value = column.cast(pa.string()), column.cast(pa.float64())
    whole = pc.and_(pc.equal(pc.floor(value), value), pc.less(pc.abs(value), _POWERS))
    return pc.replace_with_mask(text, whole, pc.binary_join_element_wise(text.filter(whole), ".0", ""))


def _quoted(table: pa.Table) -> bytes:
    """Lines in which those values stand in quotes that need them."""
    columns = []
    for column in table.columns:
        text = column.combine_chunks().cast(pa.string())
        inner = pc.replace_substring(text, '"', '""')
        wrapped = pc.binary_join_element_wise('"', inner, '"', "")
        columns.append(pc.if_else(pc.match_substring_regex(text, '[",\r\n]'), wrapped, text))
    joined = pc.binary_join_element_wise(*columns, ",", null_handling="replace", null_replacement="")
    ended = pc.binary_join_element_wise(joined, "", "\n")
    return "".join(ended.to_pylist()).encode()
