//! Adding foreign keys.

use shoofly_tests::mysql::{App, MyCase};
use shoofly_tests::{Flavor, mysql_matrix};

const PARENTS: &str = "CREATE TABLE parents (id int PRIMARY KEY, code varchar(20) UNIQUE);
    INSERT INTO parents VALUES (0, 'a'), (1, 'b'), (2, 'c');";

fn app() -> App {
    App::new("t").auto_increment("id").writes("c", "{v}").writes("d", "CONCAT('d', {v})")
}

/// Every fourth row refers to nothing.
fn referring() -> App {
    app().writes("p", "NULLIF({v} % 4, 3)")
}

fn add(name: &str, app: App, table: &str, ddl: &str) -> MyCase {
    MyCase::new(name, app, ddl).given(&format!("{PARENTS} {table}"))
}

const WITH_INDEX: &str =
    "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), p int, KEY by_p (p, c))";
const WITHOUT_INDEX: &str = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), p int)";

async fn over_an_index(flavor: Flavor) {
    let ddl =
        "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p) REFERENCES parents (id) ON DELETE CASCADE ON UPDATE SET NULL";
    add("fk_indexed", referring(), WITH_INDEX, ddl).run(flavor).await;
}

async fn with_its_index(flavor: Flavor) {
    let ddl = "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p) REFERENCES parents (id)";
    add("fk_index", referring(), WITHOUT_INDEX, ddl).run(flavor).await;
}

async fn of_texts_to_a_unique_key(flavor: Flavor) {
    let app = app().writes("p", "ELT(1 + {v} % 4, 'a', 'B', 'c')");
    let table = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), p varchar(10))";
    let ddl = "ALTER TABLE t ADD CONSTRAINT t_code FOREIGN KEY (p) REFERENCES parents (code)";
    add("fk_text", app, table, ddl).run(flavor).await;
}

async fn over_a_new_column(flavor: Flavor) {
    let table = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40))";
    let ddl = "ALTER TABLE t ADD COLUMN p int, ADD INDEX by_p (p), \
               ADD CONSTRAINT t_p FOREIGN KEY (p) REFERENCES parents (id)";
    add("fk_new_column", app(), table, ddl).app_after(referring()).run(flavor).await;
}

async fn to_itself(flavor: Flavor) {
    let app = app().writes("boss", "NULLIF(1249, 1249)").keeps_keys();
    let table = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), boss int)";
    let ddl = "ALTER TABLE t ADD CONSTRAINT works_for FOREIGN KEY (boss) REFERENCES t (id)";
    // Rows that stay.
    add("fk_itself", app, table, ddl).given_loaded("UPDATE t SET boss = 1250 WHERE id = 1249").run(flavor).await;
}

async fn several(flavor: Flavor) {
    let table = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), p int, q int)";
    let ddl = "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p) REFERENCES parents (id), \
               ADD CONSTRAINT t_q FOREIGN KEY (q) REFERENCES parents (id) ON DELETE SET NULL";
    add("fk_several", referring().writes("q", "{v} % 3"), table, ddl).run(flavor).await;
}

/// In place of another one.
async fn instead_of_another(flavor: Flavor) {
    let table = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), p int,
                 CONSTRAINT t_p FOREIGN KEY (p) REFERENCES parents (id))";
    let ddl = "ALTER TABLE t ADD CONSTRAINT t_parent FOREIGN KEY (p) REFERENCES parents (id) ON DELETE CASCADE, \
               DROP FOREIGN KEY t_p";
    add("fk_instead", referring(), table, ddl).run(flavor).await;
}

async fn by_one_command(flavor: Flavor) {
    let ddl = "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p) REFERENCES parents (id)";
    add("fk_alter", referring(), WITH_INDEX, ddl).by_alter().run(flavor).await;
}

async fn what_is_refused(flavor: Flavor) {
    let key = |columns: &str, refers_to: &str| {
        format!("ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY ({columns}) REFERENCES {refers_to}")
    };
    let cases: [(String, &[&str]); 6] = [
        ("ALTER TABLE t ADD FOREIGN KEY (p) REFERENCES parents (id)".to_owned(), &["no name", "ADD CONSTRAINT"]),
        (key("p", "nowhere (id)"), &["no table", "nowhere"]),
        (key("p", "parents (nothing)"), &["parents has no column nothing"]),
        (key("d", "parents (id)"), &["d is varchar(40)", "one type"]),
        (key("p, c", "parents (id)"), &["2 columns refer to 1"]),
        (format!("{}, MODIFY c bigint", key("p", "parents (id)")), &["copies the table", "migration of its own"]),
    ];
    for (number, (ddl, texts)) in cases.iter().enumerate() {
        add(&format!("fk_refused_{number}"), referring(), WITH_INDEX, ddl).rows(100).refused(texts).run(flavor).await;
    }
}

/// Both servers make a key of these words, most of them under a name of their own.
async fn hidden_in_a_column_is_refused(flavor: Flavor) {
    let cases = [
        "ADD COLUMN p2 int REFERENCES parents (id)",
        "ADD COLUMN (p2 int, p3 int /* of theirs */ references parents (id))",
        "ADD (p2 int, CONSTRAINT t_p2 FOREIGN KEY (p2) REFERENCES parents (id))",
    ];
    for (number, clause) in cases.iter().enumerate() {
        let ddl = format!("ALTER TABLE t ADD COLUMN e int, {clause}");
        let texts = [*clause, "ADD CONSTRAINT"];
        add(&format!("fk_hidden_{number}"), referring(), WITH_INDEX, &ddl).rows(100).refused(&texts).run(flavor).await;
    }
    let ddl = "ALTER TABLE t ADD COLUMN e int COMMENT 'references parents (id)'";
    add("fk_comment", referring(), WITH_INDEX, ddl).rows(100).run(flavor).await;
}

mysql_matrix!(
    hidden_in_a_column_is_refused,
    over_an_index,
    with_its_index,
    of_texts_to_a_unique_key,
    over_a_new_column,
    to_itself,
    several,
    instead_of_another,
    by_one_command,
    what_is_refused,
);
