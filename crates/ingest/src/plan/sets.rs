//! Years from a whole rotation set: what a file's own lines do not tell, its neighbours or its name may.
//!
//! ```text
//! mail.log.2 (ids of December 2025) < mail.log.1 (no ids: the January behind it is of 2026) < mail.log
//! mail.log-20260104 (no ids: it ends on that day)
//! ```
//!
//! Only files whose year would be a guess are looked at again. What is not here: the order of files, which comes from what is inside.

use std::collections::HashMap;
use std::path::PathBuf;

use bouncestat_record::Mta;
use bouncestat_record::time::{DAY, Micros};
use chrono::NaiveDate;

use super::{PlanOptions, PlannedFile, look};
use crate::clock::Zone;
use crate::evidence::Bound;
use crate::input::{Age, SourceKind, rotation_rank};

/// A folder, and the name that the files of a set in it have in common.
type Name = (Option<PathBuf>, String);

/// Gives the files of each set years that agree.
pub(super) fn agree(files: &mut [PlannedFile], options: &PlanOptions) {
    let mut sets: HashMap<Name, Vec<(Age, usize)>> = HashMap::new();
    for (i, file) in files.iter().enumerate() {
        if file.source.kind != SourceKind::File || file.reader.is_none() {
            continue;
        }
        let name = file.source.path.file_name().unwrap_or_default().to_string_lossy();
        let rank = rotation_rank(&name);
        let folder = file.source.path.parent().map(ToOwned::to_owned);
        sets.entry((folder, rank.set)).or_default().push((rank.age, i));
    }
    for mut set in sets.into_values() {
        if !set.iter().any(|(_, i)| files[*i].year_from.is_guess()) {
            continue;
        }
        set.sort();
        agree_in_set(files, &set, options);
    }
}

/// A rejectlog holds hardly any ids: it is written by the Exim that wrote the mainlog beside it, in that one's zone.
pub(super) fn share_zones(files: &mut [PlannedFile], options: &PlanOptions) {
    let is_exim = |file: &PlannedFile| file.mta == Some(Mta::Exim) && file.source.kind == SourceKind::File;
    let mut told: HashMap<Option<PathBuf>, Vec<Option<Zone>>> = HashMap::new();
    for file in files.iter().filter(|file| is_exim(file) && file.ids_tell_zone) {
        told.entry(file.source.path.parent().map(ToOwned::to_owned)).or_default().push(file.zone_from_ids);
    }
    for file in files.iter_mut().filter(|file| is_exim(file) && !file.ids_tell_zone && file.reader.is_some()) {
        let Some(zones) = told.get(&file.source.path.parent().map(ToOwned::to_owned)) else { continue };
        // Logs of half a year show two offsets: which one is this file's cannot be known.
        if let [Some(zone), rest @ ..] = &zones[..]
            && rest.iter().all(|other| *other == Some(*zone))
            && let Ok((Some(better), _)) = look(file.source.clone(), &PlanOptions { zone: *zone, ..options.clone() }, None)
        {
            *file = PlannedFile { zone_from_ids: Some(*zone), ..better };
        }
    }
}

/// `set` is sorted, the oldest first.
fn agree_in_set(files: &mut [PlannedFile], set: &[(Age, usize)], options: &PlanOptions) {
    for (age, i) in set {
        if files[*i].year_from.is_guess()
            && let Some(day) = named_day(age)
        {
            again(&mut files[*i], Bound::Named(day + DAY), options);
        }
    }
    // What is known runs on to younger files, then back to older ones.
    let mut older: Option<Micros> = None;
    for (_, i) in set {
        let file = &mut files[*i];
        if let (true, Some(start)) = (file.year_from.is_guess(), older) {
            again(file, Bound::After(start), options);
        }
        if !file.year_from.is_guess() {
            older = file.start.or(older);
        }
    }
    let all_guessed = set.iter().all(|(_, i)| files[*i].year_from.is_guess());
    let mut younger: Option<Micros> = None;
    for (_, i) in set.iter().rev() {
        let file = &mut files[*i];
        let too_late = file.start.zip(younger).is_some_and(|(start, younger)| start > younger + DAY);
        let guess = file.year_from;
        if let (true, Some(start)) = (guess.is_guess(), younger)
            && (too_late || !all_guessed)
        {
            again(file, Bound::Before(start), options);
            if all_guessed {
                // It stands before another guess, and is one itself.
                file.year_from = guess;
            }
        }
        younger = file.start.or(younger);
    }
}

/// Looks into a file again, with what is known now.
fn again(file: &mut PlannedFile, bound: Bound, options: &PlanOptions) {
    if let Ok((Some(better), _)) = look(file.source.clone(), options, Some(bound)) {
        *file = better;
    }
}

/// The day in a file's name, as a moment.
fn named_day(age: &Age) -> Option<Micros> {
    let Age::Dated(date, _) = age else { return None };
    let day = NaiveDate::from_ymd_opt((date / 10_000) as i32, date / 100 % 100, date % 100)?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}
