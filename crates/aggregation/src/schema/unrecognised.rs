//! Lines that were not understood, by shape.

use super::{Kind, TableSpec, column, nullable};

/// What `--unrecognised` writes.
pub static UNRECOGNISED: TableSpec = TableSpec {
    name: "unrecognised",
    meaning: "One row a shape of lines that look like a mail server's delivery and were not understood, in the file that --unrecognised names; by lines, falling, then shape. Of the first 10,000 shapes; a last row counts the lines of others.",
    columns: &[
        column("lines", Kind::Int64, "Lines of this shape"),
        column("shape", Kind::Utf8, "The line without stamp and host; addresses, IPs, ids and numbers masked"),
        nullable("example", Kind::Utf8, "The first such line"),
        nullable("source_file", Kind::Utf8, "The log it stands in"),
        nullable("source_offset", Kind::Int64, "Its offset in the unpacked log, bytes"),
    ],
};
