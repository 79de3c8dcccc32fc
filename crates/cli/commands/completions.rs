//! `bouncestat completions SHELL`: completions, from the one definition of the command line.

use std::io::Write as _;

use anyhow::Result;

use crate::args::{Common, Completions};
use crate::definition::for_documents;
use crate::exit;
use crate::output::Output;

/// Prints the completions of a shell.
pub fn run(args: &Completions, common: &Common) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut for_documents(), "bouncestat", &mut script);
    let output = Output::new(common.output.as_deref());
    let mut out = output.open()?;
    out.write_all(&script)?;
    out.flush()?;
    drop(out);
    output.commit()?;
    Ok(exit::FINE)
}
