//! The servers' numbers, classified once.

use std::error::Error as _;

use mysql_async::{DriverError, Error as Failure, IoError, ServerError};

use crate::driver::shorten;
use crate::error::{DbError, DbErrorKind};

impl DbError {
    /// Whether MySQL could not show its transactions, as the statement of one holds a character of four bytes: it is there to be
    /// seen, and the next look may succeed.
    pub(crate) fn is_unshowable(&self) -> bool {
        self.has_code(&["3854"])
    }

    /// Whether rows have, or seemed to have, the same values under a unique index.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.has_code(&["1022", "1062", "1586", "1859"])
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.iter().any(|known| code.starts_with(known)))
    }
}

/// Classifies an error of the driver; `statement` is what was being run (shortened here).
#[must_use]
pub fn classify(error: &Failure, statement: &str) -> DbError {
    let (kind, code, message) = match error {
        Failure::Server(refusal) => {
            let code = format!("{}, {}", refusal.code, refusal.state);
            (of_server(refusal), Some(code), refusal.message.clone())
        }
        Failure::Io(IoError::Io(io)) => (of_io(io), None, io.to_string()),
        Failure::Io(IoError::Tls(tls)) => {
            let cause = tls.source().map_or_else(|| tls.to_string(), ToString::to_string);
            (DbErrorKind::Authentication, None, format!("TLS: {cause}"))
        }
        Failure::Driver(failure) => (of_driver(failure), None, failure.to_string()),
        Failure::Other(_) | Failure::Url(_) => (DbErrorKind::Other, None, error.to_string()),
    };
    DbError { kind, code, message, detail: String::new(), statement: shorten(statement) }
}

/// What is said of a connection that an earlier error, or a caller that did not wait for an answer, has ended.
pub(super) fn closed(statement: &str) -> DbError {
    classify(&DriverError::ConnectionClosed.into(), statement)
}

fn of_io(error: &std::io::Error) -> DbErrorKind {
    // A handshake that fails arrives as an error of the stream.
    let tls = error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>);
    if tls { DbErrorKind::Authentication } else { DbErrorKind::ConnectionLost }
}

fn of_driver(error: &DriverError) -> DbErrorKind {
    match error {
        DriverError::ConnectionClosed
        | DriverError::PacketOutOfOrder
        | DriverError::UnexpectedPacket { .. }
        | DriverError::BadCompressedPacketHeader
        | DriverError::PoolDisconnected => DbErrorKind::ConnectionLost,
        DriverError::UnknownAuthPlugin { .. }
        | DriverError::MysqlOldPasswordDisabled
        | DriverError::CleartextPluginDisabled
        | DriverError::InvalidParsecSalt
        | DriverError::NoKeyFound
        | DriverError::NoClientSslFlagFromServer => DbErrorKind::Authentication,
        DriverError::PacketTooLarge => DbErrorKind::Resources,
        DriverError::Params(_)
        | DriverError::MixedParams
        | DriverError::StmtParamsMismatch { .. }
        | DriverError::StmtParamsNumberExceedsLimit { .. } => DbErrorKind::Statement,
        _ => DbErrorKind::Other,
    }
}

fn of_server(error: &ServerError) -> DbErrorKind {
    match error.code {
        // Errors about files and engines carry the system's own number in their text.
        3 | 1005 | 1026 | 1030 if error.message.contains("No space left") || error.message.contains("rror 28 ") => {
            DbErrorKind::Resources
        }
        // What MariaDB's engine says of the name of a foreign key that is taken.
        1005 if error.message.contains("errno: 121 ") => DbErrorKind::NameTaken,
        // MariaDB had chosen the transaction as a victim while it left out locked rows, and says so only now.
        1180 if error.message.contains("during COMMIT") => DbErrorKind::Deadlock,
        code => of_code(code).unwrap_or_else(|| of_state(&error.state)),
    }
}

/// The classes of the servers' numbers, which say more than SQLSTATE.
fn of_code(code: u16) -> Option<DbErrorKind> {
    Some(match code {
        // 1100: MariaDB could not open the table again that it had locked for us, and has given the lock up.
        1205 | 1689 | 3572 | 1100 => DbErrorKind::LockTimeout,
        // With it: a snapshot that is older than a row or a table, a named lock's deadlock, a group's conflict.
        1213 | 1020 | 1412 | 3058 | 3101 => DbErrorKind::Deadlock,
        1028 | 1317 | 1969 | 3024 => DbErrorKind::Cancelled,
        1053 | 1080 | 1152 | 1154..=1161 | 1184 | 1927 | 2006 | 2013 | 3169 | 4031 => DbErrorKind::ConnectionLost,
        1040 | 1047 | 1135 | 1203 | 1226 | 3032 | 3168 => DbErrorKind::Unavailable,
        1043 | 1045 | 1049 | 1129 | 1130 | 1251 | 1524 | 1698 | 1820 | 1862 | 3118 | 3159 | 4151 => {
            DbErrorKind::Authentication
        }
        1044 | 1095 | 1142 | 1143 | 1227 | 1345 | 1370 | 1410 | 1419 => DbErrorKind::Privilege,
        1008 | 1051 | 1054 | 1072 | 1091 | 1094 | 1109 | 1128 | 1146 | 1176 | 1305 | 1360 | 1630 | 3821 => {
            DbErrorKind::Missing
        }
        1007 | 1050 | 1060 | 1061 | 1304 | 1359 | 1826 | 3822 => DbErrorKind::NameTaken,
        1022 | 1048 | 1062 | 1169 | 1216 | 1217 | 1451 | 1452 | 1557 | 1586 | 1761 | 1762 | 1859 | 3819 | 4025 => {
            DbErrorKind::Constraint
        }
        1138 | 1263..=1265 | 1292 | 1300 | 1364..=1367 | 1406 | 1411 | 1416 | 1441 | 1690 | 1977 => DbErrorKind::Data,
        3140..=3158 | 3854 | 3988 | 4038 => DbErrorKind::Data,
        3 | 1021 | 1037 | 1038 | 1041 | 1114 | 1197 | 1206 => DbErrorKind::Resources,
        1036 | 1290 | 1792 | 1836 | 1874 | 3989 => DbErrorKind::ReadOnly,
        _ => return None,
    })
}

fn of_state(state: &str) -> DbErrorKind {
    match state {
        "25006" => DbErrorKind::ReadOnly,
        "42S02" | "42S12" | "42S22" => DbErrorKind::Missing,
        "42S01" | "42S11" | "42S21" => DbErrorKind::NameTaken,
        _ => match state.get(..2) {
            Some("08") => DbErrorKind::ConnectionLost,
            Some("22") => DbErrorKind::Data,
            Some("23") => DbErrorKind::Constraint,
            Some("28") => DbErrorKind::Authentication,
            Some("40") => DbErrorKind::Deadlock,
            Some("53") => DbErrorKind::Resources,
            Some("0A" | "3D" | "42") => DbErrorKind::Statement,
            _ if state.starts_with("21S") => DbErrorKind::Statement,
            _ => DbErrorKind::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: u16, state: &str, message: &str) -> DbError {
        let refusal = ServerError { code, message: message.to_owned(), state: state.to_owned() };
        classify(&Failure::Server(refusal), "SELECT\n  1")
    }

    #[test]
    fn classes_follow_the_number() {
        for (code, state, kind) in [
            (1205, "HY000", DbErrorKind::LockTimeout),
            (3572, "HY000", DbErrorKind::LockTimeout),
            (1213, "40001", DbErrorKind::Deadlock),
            (1020, "HY000", DbErrorKind::Deadlock),
            (1317, "70100", DbErrorKind::Cancelled),
            (3024, "HY000", DbErrorKind::Cancelled),
            (1969, "70100", DbErrorKind::Cancelled),
            (1053, "08S01", DbErrorKind::ConnectionLost),
            (1927, "70100", DbErrorKind::ConnectionLost),
            (1040, "08004", DbErrorKind::Unavailable),
            (1203, "42000", DbErrorKind::Unavailable),
            (1226, "42000", DbErrorKind::Unavailable),
            (1045, "28000", DbErrorKind::Authentication),
            (1049, "42000", DbErrorKind::Authentication),
            (1698, "28000", DbErrorKind::Authentication),
            (1044, "42000", DbErrorKind::Privilege),
            (1142, "42000", DbErrorKind::Privilege),
            (1227, "42000", DbErrorKind::Privilege),
            (1419, "HY000", DbErrorKind::Privilege),
            (1146, "42S02", DbErrorKind::Missing),
            (1091, "42000", DbErrorKind::Missing),
            (1305, "42000", DbErrorKind::Missing),
            (1050, "42S01", DbErrorKind::NameTaken),
            (1061, "42000", DbErrorKind::NameTaken),
            (1359, "HY000", DbErrorKind::NameTaken),
            (1062, "23000", DbErrorKind::Constraint),
            (3819, "HY000", DbErrorKind::Constraint),
            (4025, "23000", DbErrorKind::Constraint),
            (1264, "22003", DbErrorKind::Data),
            (1366, "HY000", DbErrorKind::Data),
            (1364, "HY000", DbErrorKind::Data),
            (3140, "22032", DbErrorKind::Data),
            (1114, "HY000", DbErrorKind::Resources),
            (1290, "HY000", DbErrorKind::ReadOnly),
            (1792, "25006", DbErrorKind::ReadOnly),
            (1064, "42000", DbErrorKind::Statement),
            (1846, "0A000", DbErrorKind::Statement),
            (1136, "21S01", DbErrorKind::Statement),
            (1242, "21000", DbErrorKind::Other),
            (1644, "45000", DbErrorKind::Other),
        ] {
            assert_eq!(said(code, state, "").kind, kind, "{code} {state}");
        }
    }

    #[test]
    fn some_numbers_leave_the_class_to_the_text() {
        let full = "Can't create table `a`.`b` (errno: 28 \"No space left on device\")";
        assert_eq!(said(1005, "HY000", full).kind, DbErrorKind::Resources);
        assert_eq!(said(1030, "HY000", "Got error 28 from storage engine").kind, DbErrorKind::Resources);
        let taken = "Can't create table `a`.`b` (errno: 121 \"Duplicate key on write or update\")";
        assert_eq!(said(1005, "HY000", taken).kind, DbErrorKind::NameTaken);
        assert_eq!(said(1005, "HY000", "Can't create table `a`.`b` (errno: 150)").kind, DbErrorKind::Other);
    }

    #[test]
    fn says_number_state_message_and_statement() {
        let error = said(1205, "HY000", "Lock wait timeout exceeded; try restarting transaction");
        assert_eq!(
            error.to_string(),
            "Lock wait timeout exceeded; try restarting transaction (error 1205, HY000)\n    statement: SELECT 1"
        );
        let gone = closed("SELECT 1");
        assert_eq!((gone.kind, gone.code), (DbErrorKind::ConnectionLost, None));
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(classify(&refused.into(), "").kind, DbErrorKind::ConnectionLost);
    }
}
