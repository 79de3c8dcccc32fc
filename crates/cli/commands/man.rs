//! `bouncestat man [--out DIR]`: manual pages in troff, from the one definition of the command line.

use std::fs;
use std::io::Write as _;

use anyhow::{Context, Result};
use clap::Command;
use clap_mangen::Man as Page;

use crate::args::Man;
use crate::definition::for_documents;
use crate::exit;
use crate::output::Output;

/// Prints the main page, or writes all pages.
pub fn run(args: &Man) -> Result<u8> {
    let mut command = for_documents().disable_help_subcommand(true);
    command.build();
    let Some(dir) = &args.out else {
        let output = Output::new(None);
        let mut out = output.open()?;
        out.write_all(&page(&command, "bouncestat")?)?;
        out.flush()?;
        return Ok(exit::FINE);
    };
    fs::create_dir_all(dir).with_context(|| format!("--out {}: the folder cannot be made", dir.display()))?;
    let mut pages = Vec::new();
    collect(&command, "bouncestat", &mut pages)?;
    for (name, page) in &pages {
        let path = dir.join(format!("{name}.1"));
        fs::write(&path, page).with_context(|| format!("{}: cannot be written", path.display()))?;
    }
    eprintln!("bouncestat: wrote {} pages into {}", pages.len(), dir.display());
    Ok(exit::FINE)
}

/// The page of a command and of all below it: `bouncestat`, `bouncestat-rules`, `bouncestat-rules-list`.
fn collect(command: &Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    pages.push((name.to_owned(), page(command, name)?));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        collect(sub, &format!("{name}-{}", sub.get_name()), pages)?;
    }
    Ok(())
}

fn page(command: &Command, name: &str) -> Result<Vec<u8>> {
    let source = format!("bouncestat {}", env!("CARGO_PKG_VERSION"));
    // The usage line keeps its blanks, the title and the file name have dashes.
    let usage = command.clone().name(name.to_owned()).bin_name(name.replace('-', " "));
    let mut page = Vec::new();
    Page::new(usage).title(name.to_uppercase()).source(source).manual("User Commands").render(&mut page)?;
    Ok(page)
}
