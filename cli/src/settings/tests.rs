use clap::Parser;

use super::*;

fn parsed(text: &str) -> Result<File, toml::de::Error> {
    toml::from_str(text)
}

fn typed(words: &[&str]) -> Args {
    Args::parse_from(std::iter::once("shoofly").chain(words.iter().copied()))
}

fn environment(process: &[(&str, &str)], dotenv: &[(&str, &str)]) -> Environment {
    let own = |pairs: &[(&str, &str)]| pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Environment { process: own(process), dotenv: own(dotenv) }
}

#[test]
fn unknown_keys_are_refused_with_their_line() {
    let error = parsed("dir = \"m\"\n[fill]\nlane = 2\n").unwrap_err().to_string();
    assert!(error.contains("line 3"), "{error}");
    assert!(error.contains("unknown field `lane`"), "{error}");
    assert!(parsed("[accept]\nanything = \"x\"\n").unwrap_err().to_string().contains("no such hazard"));
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let file = parsed("url = \"file\"\n").unwrap();
    let none = Section::default();
    let exported = environment(&[("DATABASE_URL", "exported")], &[("DATABASE_URL", "dotenv")]);
    let from_flag = url(&typed(&["--url", "flag", "status"]), &none, &file, &exported).unwrap();
    assert_eq!(from_flag.as_deref(), Some("flag"));
    assert_eq!(url(&typed(&["status"]), &none, &file, &exported).unwrap().as_deref(), Some("exported"));
    let dotenv = environment(&[], &[("DATABASE_URL", "dotenv")]);
    assert_eq!(url(&typed(&["status"]), &none, &file, &dotenv).unwrap().as_deref(), Some("dotenv"));
    let empty = environment(&[], &[]);
    assert_eq!(url(&typed(&["status"]), &none, &file, &empty).unwrap().as_deref(), Some("file"));
}

#[test]
fn two_databases_at_once_are_refused() {
    let section = Section { url: Some("production".into()), ..Section::default() };
    let exported = environment(&[("DATABASE_URL", "development")], &[]);
    assert!(matches!(url(&typed(&["status"]), &section, &File::default(), &exported), Err(Error::Usage(_))));
}

#[test]
fn knobs_come_from_flags_then_from_the_file() {
    let file =
        parsed("[fill]\nlanes = 2\nchunk = \"20ms\"\npace = \"full\"\nrow-waits = 3\n[locks]\nbudget = \"40ms\"\n")
            .unwrap();
    let knobs =
        Knobs { fill: FillArgs { chunk: Some(Duration::from_millis(5)), ..FillArgs::default() }, ..Knobs::default() };
    let settings = engine(&typed(&["status"]), &knobs, &Section::default(), &file).unwrap();
    assert_eq!(settings.fill.lanes.get(), 2);
    assert_eq!(settings.fill.chunk, Duration::from_millis(5));
    assert_eq!(settings.fill.pace, Pace::Full);
    assert_eq!((settings.fill.health.row_waits.get(), settings.fill.health.history_length.get()), (3, 1_000_000));
    assert_eq!(settings.locks.budget, Duration::from_millis(40));
    assert_eq!(settings.locks.further, Duration::from_millis(40), "never above the budget");
}

#[test]
fn an_accepted_hazard_needs_a_reason() {
    let silent = parsed("[accept]\ncolumn-order = \" \"\n").unwrap();
    assert!(engine(&typed(&["status"]), &Knobs::default(), &Section::default(), &silent).is_err());
    let explained = parsed("[accept]\ncolumn-order = \"every INSERT names its columns\"\n").unwrap();
    let settings = engine(&typed(&["status"]), &Knobs::default(), &Section::default(), &explained).unwrap();
    assert!(settings.accept.contains(&Hazard::ColumnOrder));
}

#[test]
fn the_template_of_init_is_a_valid_file() {
    parsed(crate::command::init::TEMPLATE).unwrap();
}

#[test]
fn the_file_keeps_old_tables_where_a_verb_can_be_said_again() {
    let file = parsed("keep-old = true\n").unwrap();
    let keeps = |knobs: Knobs, section: Section| engine(&typed(&["status"]), &knobs, &section, &file).unwrap().keep_old;
    let (unsaid, said) = (KeepArgs::default(), KeepArgs { keep_old: true });
    let (locks, fill) = (LockArgs::default(), FillArgs::default());
    assert_eq!(keeps(Knobs::going_through(&locks, &fill, unsaid), Section::default()), KeepOld::WhereCopied);
    assert_eq!(keeps(Knobs::going_through(&locks, &fill, said), Section::default()), KeepOld::Always);
    let section = Section { keep_old: Some(false), ..Section::default() };
    assert_eq!(keeps(Knobs::going_through(&locks, &fill, unsaid), section), KeepOld::Never);
    assert_eq!(keeps(Knobs::completing(&locks, unsaid), Section::default()), KeepOld::Never, "it ends the window");
    assert_eq!(keeps(Knobs::completing(&locks, said), Section::default()), KeepOld::Always);
    assert_eq!(keeps(Knobs::filling(&locks, &fill), Section::default()), KeepOld::Never);
}

#[test]
fn sessions_are_ended_where_it_is_said_after_what_time() {
    let ends = |text: &str, flags: LockArgs| {
        let knobs = Knobs { locks: flags, ..Knobs::default() };
        engine(&typed(&["status"]), &knobs, &Section::default(), &parsed(text).unwrap())
            .map(|settings| settings.locks.end)
    };
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(ends("", LockArgs::default()).unwrap(), None);
    let from_file = ends("[locks]\nend-blockers = \"1m\"\n", LockArgs::default()).unwrap().unwrap();
    assert_eq!((from_file.after, from_file.most.get()), (Duration::from_secs(60), 3));
    let flags = LockArgs { end_blockers: seconds(5), end_at_most: NonZeroU32::new(7), ..LockArgs::default() };
    let from_flags = ends("[locks]\nend-blockers = \"1m\"\n", flags).unwrap().unwrap();
    assert_eq!((from_flags.after, from_flags.most.get()), (Duration::from_secs(5), 7));
    assert!(ends("[locks]\nend-at-most = 2\n", LockArgs::default()).is_err(), "of whom?");
    let hasty = LockArgs { end_blockers: Some(Duration::from_millis(999)), ..LockArgs::default() };
    assert!(ends("", hasty).is_err());
}
