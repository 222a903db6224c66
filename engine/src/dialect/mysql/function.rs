//! What is known of the servers' own functions: which of them give the same value for the same arguments, at any time and in any
//! session.

/// How long what a function gives holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// As long as its arguments are the same.
    Always,
    /// Not even from row to row, or not from one statement to the next.
    Once,
    /// As long as the session's time zone is the same.
    InOneTimeZone,
    /// Nobody knows: it is a function of the user's, or one that does more than compute.
    Unknown,
}

/// What is known of an unqualified function; its name in any case.
#[must_use]
pub fn holds(name: &str) -> Holds {
    let name = name.to_ascii_lowercase();
    let is_among = |list: &str| list.split_ascii_whitespace().any(|known| known == name);
    if is_among(ALWAYS) {
        Holds::Always
    } else if is_among(ONCE) {
        Holds::Once
    } else if is_among("from_unixtime unix_timestamp") {
        Holds::InOneTimeZone
    } else {
        Holds::Unknown
    }
}

/// Those whose value is a moment's: as a column's value they need no time zone of their own.
#[must_use]
pub fn is_clock(name: &str) -> bool {
    ["now", "current_timestamp", "localtime", "localtimestamp", "sysdate"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

const ONCE: &str = "now sysdate current_timestamp current_date current_time curdate curtime localtime localtimestamp \
    utc_date utc_time utc_timestamp rand random_bytes uuid uuid_short sys_guid uuid_v4 uuid_v7";

const ALWAYS: &str = "abs acos asin atan atan2 ceil ceiling conv cos cot crc32 crc32c degrees exp floor greatest least ln log \
    log10 log2 mod pi pow power radians round sign sin sqrt tan truncate \
    ascii bin bit_count bit_length char char_length character_length chr concat concat_ws elt export_set field find_in_set \
    format from_base64 hex insert instr lcase left length lengthb locate lower lpad ltrim make_set mid natural_sort_key oct \
    octet_length ord position quote repeat replace reverse right rpad rtrim soundex space strcmp substr substring \
    substring_index to_base64 trim ucase unhex upper weight_string \
    regexp_instr regexp_like regexp_replace regexp_substr \
    if ifnull nullif coalesce nvl nvl2 isnull interval cast convert \
    adddate addtime add_months convert_tz date date_add date_format date_sub datediff day dayname dayofmonth dayofweek \
    dayofyear extract from_days get_format hour last_day makedate maketime microsecond minute month monthname months_between \
    period_add period_diff quarter sec_to_time second str_to_date subdate subtime time time_format time_to_sec timediff \
    timestamp timestampadd timestampdiff to_days to_seconds week weekday weekofyear year yearweek \
    json_array json_array_append json_array_insert json_compact json_contains json_contains_path json_depth json_detailed \
    json_equals json_exists json_extract json_insert json_keys json_length json_loose json_merge json_merge_patch \
    json_merge_preserve json_normalize json_object json_overlaps json_pretty json_query json_quote json_remove json_replace \
    json_search json_set json_type json_unquote json_valid json_value \
    md5 sha sha1 sha2 bin_to_uuid uuid_to_bin is_uuid inet_aton inet_ntoa inet6_aton inet6_ntoa is_ipv4 is_ipv6 \
    is_ipv4_compat is_ipv4_mapped";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_holds() {
        assert_eq!(holds("LOWER"), Holds::Always);
        assert_eq!(holds("Uuid"), Holds::Once);
        assert_eq!(holds("unix_timestamp"), Holds::InOneTimeZone);
        for name in ["my_own", "sleep", "get_lock", "last_insert_id", "user", "nextval", "benchmark", "low"] {
            assert_eq!(holds(name), Holds::Unknown, "{name}");
        }
    }
}
