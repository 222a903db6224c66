use super::*;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn pressure(share: f64, words: &str, cure: Cure) -> Pressure {
    Pressure { share, words: words.to_owned(), cure }
}

fn reading(share: f64) -> Vec<Pressure> {
    vec![pressure(0.1, "other", Cure::Rest), pressure(share, "worst", Cure::Rest)]
}

fn after(shares: &[f64]) -> (Controller, Duration) {
    let mut controller = Controller::default();
    let mut now = Duration::ZERO;
    for share in shares {
        now += at(1);
        controller.learn(now, reading(*share));
    }
    (controller, now)
}

fn advice(shares: &[f64]) -> Advice {
    let (controller, now) = after(shares);
    controller.advice(now)
}

#[test]
fn a_healthy_server_is_not_spared() {
    assert_eq!(Controller::default().advice(at(1)), Advice::Go);
    assert_eq!(advice(&[0.0, 0.69]), Advice::Go);
}

#[test]
fn rests_grow_towards_the_limit() {
    let times = |share| match advice(&[share]) {
        Advice::Slow { times, because } => {
            assert_eq!(because, "worst");
            times
        }
        other => panic!("{other:?}"),
    };
    assert!(times(0.75) < 1.0 && times(0.85) > 1.5 && times(0.99) > 3.5);
}

#[test]
fn who_was_stopped_goes_on_only_after_some_calm() {
    for shares in [&[1.0][..], &[3.0, 0.9], &[1.0, 0.1], &[1.0, 0.1, 0.8, 0.1]] {
        assert!(matches!(advice(shares), Advice::Stop { .. }), "{shares:?}");
    }
    assert_eq!(advice(&[1.0, 0.1, 0.1]), Advice::Go);
}

#[test]
fn a_server_that_is_never_calm_does_not_stop_a_fill_for_ever() {
    let mut shares = vec![0.9; 10];
    shares[0] = 1.0;
    assert!(matches!(advice(&shares), Advice::Stop { .. }));
    shares.push(0.9);
    assert!(matches!(advice(&shares), Advice::Slow { .. }));
}

#[test]
fn silence_slows_and_then_stops() {
    let (mut controller, now) = after(&[0.1]);
    assert_eq!(controller.advice(now + at(3)), Advice::Go);
    assert!(matches!(controller.advice(now + at(5)), Advice::Slow { .. }));
    controller.fail("too many connections".to_owned());
    match controller.advice(now + at(31)) {
        Advice::Stop { because } => assert!(because.contains("31 s: too many connections"), "{because}"),
        other => panic!("{other:?}"),
    }
    let (controller, now) = after(&[0.1, 1.0]);
    assert!(matches!(controller.advice(now + at(5)), Advice::Stop { .. }));
}

#[test]
fn nothing_to_read_is_no_pressure() {
    let mut controller = Controller::default();
    controller.learn(at(60), Vec::new());
    assert_eq!(controller.advice(at(61)), Advice::Go);
}

#[test]
fn who_waits_for_us_makes_chunks_shorter_for_a_while() {
    let mut controller = Controller::default();
    for second in 1..=9 {
        controller.learn(at(second), vec![pressure(0.1, "one waits", Cure::ShorterChunks)]);
    }
    assert!((controller.chunk() - LEAST_CHUNK).abs() < 1e-9);
    assert_eq!(controller.advice(at(9)), Advice::Shorter { because: "one waits".to_owned() });
    for second in 10..=19 {
        controller.learn(at(second), vec![pressure(0.0, "none waits", Cure::ShorterChunks)]);
    }
    assert!((controller.chunk() - 1.0).abs() < 1e-9);
    assert_eq!(controller.advice(at(19)), Advice::Go);
}
