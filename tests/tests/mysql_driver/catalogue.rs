//! The catalogue as a value, of tables that have one of everything.

use shoofly_engine::driver::mysql::{Session, Target, catalogue};
use shoofly_engine::error::DbErrorKind::LockTimeout;
use shoofly_engine::schema::mysql::{Catalogue, ForeignKey, Generated, Index, Table};
use shoofly_engine::sql::mysql::mode::Product;
use shoofly_engine::sql::mysql::name::{Name, WrittenName};
use shoofly_sandbox::Options;
use shoofly_tests::{Flavor, My, mysql_matrix, until};

use super::{ask, inside};

const TABLES: &str = "
    CREATE TABLE `it's ``odd-1` (n int PRIMARY KEY, `é#` int);
    CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
    CREATE TABLE item (
        id bigint unsigned NOT NULL AUTO_INCREMENT COMMENT 'it''s a key',
        shop int NOT NULL,
        mood enum('good', 'it''s bad') DEFAULT 'good',
        name varchar(200) CHARACTER SET latin1 COLLATE latin1_bin,
        born timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        twice bigint GENERATED ALWAYS AS (shop * 2) VIRTUAL,
        thrice bigint GENERATED ALWAYS AS (shop * 3) STORED,
        unseen int NOT NULL DEFAULT 7 INVISIBLE,
        a int,
        b int,
        up bigint unsigned,
        PRIMARY KEY (shop, id),
        UNIQUE KEY by_id (id),
        KEY beginning (name(10), shop DESC),
        FULLTEXT KEY words (name),
        CONSTRAINT to_parent FOREIGN KEY (a, b) REFERENCES parent (a, b) ON DELETE SET NULL ON UPDATE CASCADE,
        CONSTRAINT to_self FOREIGN KEY (up) REFERENCES item (id),
        CONSTRAINT some CHECK (shop > 0)
    ) COMMENT 'all sorts' ROW_FORMAT = DYNAMIC;
    INSERT INTO item (shop, name) VALUES (1, 'one'), (2, 'two');
    CREATE TABLE child (
        id int PRIMARY KEY,
        item bigint unsigned,
        CONSTRAINT to_item FOREIGN KEY (item) REFERENCES item (id)
    );
    CREATE TABLE grandchild (id int PRIMARY KEY, CONSTRAINT to_child FOREIGN KEY (id) REFERENCES child (id));
    CREATE TRIGGER first_words BEFORE INSERT ON item FOR EACH ROW SET NEW.name = COALESCE(NEW.name, 'none');
    CREATE TRIGGER last_words AFTER DELETE ON item FOR EACH ROW BEGIN DELETE FROM child WHERE item = OLD.id; SET @gone = 1; END;
    CREATE VIEW seen AS SELECT i.id, c.id AS child FROM item i JOIN child c ON c.item = i.id;
    CREATE TABLE split (n int PRIMARY KEY) PARTITION BY RANGE (n)
        (PARTITION low VALUES LESS THAN (10), PARTITION high VALUES LESS THAN MAXVALUE);
";

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

async fn read(session: &Session, names: &[&str]) -> Catalogue {
    let names: Vec<WrittenName> = names.iter().map(|text| WrittenName { database: None, name: name(text) }).collect();
    catalogue::read(session, &names).await.unwrap()
}

fn table<'a>(catalogue: &'a Catalogue, name: &str) -> &'a Table {
    catalogue.tables.iter().find(|table| table.path.name.as_str() == name).unwrap()
}

fn texts(names: &[Name]) -> Vec<&str> {
    names.iter().map(Name::as_str).collect()
}

/// `name unique kind column:prefix:direction …`, to be compared as a whole.
fn shown(index: &Index) -> String {
    let parts = index.parts.iter().map(|part| {
        let column = part.column.as_ref().map_or("?", Name::as_str);
        let prefix = part.prefix.map(|prefix| format!("({prefix})")).unwrap_or_default();
        format!(" {column}{prefix}{}", if part.descending { " desc" } else { "" })
    });
    let unique = if index.unique { " unique" } else { "" };
    format!("{}{unique} {}{}", index.name.as_str(), index.kind, parts.collect::<String>())
}

fn key(key: &ForeignKey) -> String {
    format!(
        "{} {} ({}) -> {} ({}) {}/{}",
        key.name.as_str(),
        key.table.name.as_str(),
        texts(&key.columns).join(", "),
        key.referenced.name.as_str(),
        texts(&key.referenced_columns).join(", "),
        key.on_update,
        key.on_delete
    )
}

async fn a_table_is_read_whole(flavor: Flavor) {
    let my = My::shared(flavor);
    let session = inside(&my, "driver_catalogue").await;
    session.execute(TABLES).await.unwrap();
    session.execute("ANALYZE TABLE item").await.unwrap();
    let catalogue = read(&session, &["item", "nowhere"]).await;
    let names: Vec<&str> = catalogue.tables.iter().map(|table| table.path.name.as_str()).collect();
    assert_eq!(names, ["child", "item", "parent"]);
    let item = table(&catalogue, "item");
    assert_eq!(item.path.display(), "driver_catalogue.item");
    assert_eq!((&*item.kind, item.engine.as_deref(), &*item.comment), ("BASE TABLE", Some("InnoDB"), "all sorts"));
    assert_eq!(item.row_format.as_deref(), Some("Dynamic"));
    assert!(item.create_sql.starts_with("CREATE TABLE `item` (") && item.collation.is_some());
    assert_eq!((item.auto_increment, item.estimated_rows), (Some(3), 2));
    assert!(item.data_bytes > 0 && item.index_bytes > 0 && item.partitions.is_empty());
    assert_eq!(texts(&item.checks), ["some"]);
    assert_eq!(item.views, ["driver_catalogue.seen"]);
    assert_eq!(item.row_versions, (flavor == Flavor::MySql).then_some(0));
    assert_eq!(item.identity().unwrap().name.as_str(), "PRIMARY");
}

async fn what_hangs_on_a_table_is_read_with_it(flavor: Flavor) {
    let my = My::shared(flavor);
    let session = inside(&my, "driver_attached").await;
    session.execute(TABLES).await.unwrap();
    let catalogue = read(&session, &["item"]).await;
    let item = table(&catalogue, "item");
    let indexes: Vec<String> = item.indexes.iter().map(shown).collect();
    let direction = if session.version() >= 100_800 || flavor == Flavor::MySql { " desc" } else { "" };
    assert_eq!(indexes[0], "PRIMARY unique BTREE shop id");
    for expected in [
        "by_id unique BTREE id",
        &format!("beginning BTREE name(10) shop{direction}"),
        "to_parent BTREE a b",
        "words FULLTEXT name",
    ] {
        assert!(indexes.iter().any(|index| index == expected), "{expected}: {indexes:?}");
    }
    let itself = "to_self item (up) -> item (id) NO ACTION/NO ACTION";
    let rule =
        |text: &str| if flavor == Flavor::MariaDb { text.replace("NO ACTION", "RESTRICT") } else { text.to_owned() };
    let held: Vec<String> = item.foreign_keys.iter().map(key).collect();
    assert_eq!(held, ["to_parent item (a, b) -> parent (a, b) CASCADE/SET NULL".to_owned(), rule(itself)]);
    let referring: Vec<String> = item.referenced_by.iter().map(key).collect();
    assert_eq!(referring, [rule("to_item child (item) -> item (id) NO ACTION/NO ACTION"), rule(itself)]);
    assert!(item.foreign_keys[0].cascades() && !item.foreign_keys[1].cascades());
    let triggers: Vec<String> =
        item.triggers.iter().map(|one| format!("{} {} {}", one.name.as_str(), one.timing, one.event)).collect();
    assert_eq!(triggers, ["first_words BEFORE INSERT", "last_words AFTER DELETE"]);
    assert!(item.triggers[1].create_sql.contains("DELETE FROM child") && item.triggers[1].sql_mode.contains("STRICT"));
    // Neighbours are read as fully.
    assert_eq!(table(&catalogue, "child").referenced_by.len(), 1);
    assert_eq!(table(&catalogue, "child").views, ["driver_attached.seen"]);
    assert_eq!(table(&catalogue, "parent").referenced_by, [item.foreign_keys[0].clone()]);
}

async fn columns_are_read_whole(flavor: Flavor) {
    let my = My::shared(flavor);
    let session = inside(&my, "driver_columns").await;
    session.execute(TABLES).await.unwrap();
    let catalogue = read(&session, &["item"]).await;
    let item = table(&catalogue, "item");
    let column = |name: &str| item.column(name).unwrap();
    let names: Vec<&str> = item.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "shop", "mood", "name", "born", "twice", "thrice", "unseen", "a", "b", "up"]);
    let id = column("ID");
    assert!(id.auto_increment && !id.nullable && id.default.is_none());
    assert_eq!((&*id.data_type, &*id.comment), ("bigint", "it's a key"));
    assert!(id.column_type.starts_with("bigint") && id.column_type.ends_with(" unsigned"));
    let mood = column("mood");
    assert!(mood.nullable && mood.charset.is_some());
    assert_eq!(mood.column_type, "enum('good','it''s bad')");
    let good = if flavor == Flavor::MariaDb { "'good'" } else { "good" };
    assert_eq!(mood.default.as_deref(), Some(good));
    let called = column("name");
    assert_eq!((called.charset.as_deref(), called.collation.as_deref()), (Some("latin1"), Some("latin1_bin")));
    assert!(column("born").default.as_deref().unwrap().to_lowercase().starts_with("current_timestamp"));
    assert!(column("born").extra.to_lowercase().contains("on update current_timestamp"));
    let generated = ["shop", "twice", "thrice"].map(|name| column(name).generated);
    assert_eq!(generated, [None, Some(Generated::Virtual), Some(Generated::Stored)]);
    assert!(column("unseen").extra.contains("INVISIBLE"));
}

async fn other_kinds_of_tables_are_read_too(flavor: Flavor) {
    let my = My::shared(flavor);
    let session = inside(&my, "driver_kinds").await;
    session.execute(TABLES).await.unwrap();
    let catalogue = read(&session, &["seen", "split", "it's `odd-1"]).await;
    assert_eq!(catalogue.tables.len(), 3);
    let seen = table(&catalogue, "seen");
    assert_eq!((&*seen.kind, &seen.engine), ("VIEW", &None));
    assert!(seen.create_sql.contains("VIEW") && seen.columns.len() == 2 && seen.indexes.is_empty());
    assert_eq!(table(&catalogue, "split").partitions, ["low", "high"]);
    let odd = table(&catalogue, "it's `odd-1");
    assert_eq!(odd.columns[1].name.as_str(), "é#");
    match flavor {
        Flavor::MySql => {
            session.execute("ALTER TABLE `it's ``odd-1` ADD COLUMN c int, ALGORITHM = INSTANT").await.unwrap();
            session.execute("ALTER TABLE split ADD COLUMN c int, ALGORITHM = INSTANT").await.unwrap();
            session.execute("CREATE INDEX sum ON child ((id + item))").await.unwrap();
            let catalogue = read(&session, &["it's `odd-1", "split", "child"]).await;
            assert_eq!(table(&catalogue, "it's `odd-1").row_versions, Some(1));
            assert_eq!(table(&catalogue, "split").row_versions, Some(1));
            let index = table(&catalogue, "child").indexes.iter().find(|index| index.name.as_str() == "sum").unwrap();
            assert_eq!(shown(index), "sum BTREE ?");
        }
        Flavor::MariaDb => {
            session.execute("CREATE SEQUENCE counter; ALTER TABLE child ADD COLUMN c int CHECK (c > 0)").await.unwrap();
            let catalogue = read(&session, &["counter", "child"]).await;
            assert_eq!(table(&catalogue, "counter").kind, "SEQUENCE");
            assert!(table(&catalogue, "child").checks.is_empty());
        }
    }
    // A name that says its database, and one that differs in case alone.
    let elsewhere = super::session(&my.url("")).await;
    let written = WrittenName { database: Some(name("driver_kinds")), name: name("split") };
    assert_eq!(catalogue::read(&elsewhere, std::slice::from_ref(&written)).await.unwrap().tables.len(), 1);
    let bare = WrittenName { database: None, ..written };
    assert_eq!(catalogue::read(&elsewhere, &[bare]).await.unwrap().tables, []);
    assert_eq!(read(&session, &["SPLIT"]).await.tables, []);
}

async fn rights_are_told(flavor: Flavor) {
    let my = My::shared(flavor);
    let root = inside(&my, "driver_rights").await;
    root.execute(TABLES).await.unwrap();
    root.execute(
        "DROP USER IF EXISTS driver_reader@127.0.0.1; CREATE USER driver_reader@127.0.0.1 IDENTIFIED BY 'reads'; \
         GRANT SELECT, SHOW VIEW ON driver_rights.* TO driver_reader@127.0.0.1",
    )
    .await
    .unwrap();
    let all = read(&root, &["item"]).await;
    let product = if flavor == Flavor::MariaDb { Product::MariaDb } else { Product::MySql };
    let server = &all.server;
    assert_eq!((server.product, server.version, &*server.user), (product, root.version(), "root@127.0.0.1"));
    assert_eq!(server.version_text, ask(&root, "SELECT VERSION()").await);
    assert_eq!(server.sql_mode, ask(&root, "SELECT @@global.sql_mode").await);
    assert_eq!((server.database.clone(), server.lower_case_table_names), (Some(name("driver_rights")), 0));
    assert!(server.sees_transactions && server.may_make_triggers && !server.read_only && !server.statement_binlog);
    assert_eq!(server.sees_metadata_locks, flavor == Flavor::MySql);
    let place = my.url("driver_rights");
    let url = format!("mysql://driver_reader:reads@{}", place.split_once('@').unwrap().1);
    let reader = Session::connect(&Target::parse(&url).unwrap(), "test").await.unwrap();
    let some = read(&reader, &["item"]).await;
    let server = &some.server;
    assert!(!server.sees_transactions && !server.sees_metadata_locks && !server.may_make_triggers);
    let (seen, whole) = (table(&some, "item"), table(&all, "item"));
    assert_eq!((&seen.columns, &seen.indexes, &seen.create_sql), (&whole.columns, &whole.indexes, &whole.create_sql));
    assert_eq!((&seen.foreign_keys, &seen.referenced_by), (&whole.foreign_keys, &whole.referenced_by));
    assert_eq!((seen.row_versions, seen.triggers.len()), (None, 0));
}

/// A statement that holds its new table, until the closure is through with it.
async fn while_making(my: &My, sql: &'static str, work: impl AsyncFnOnce()) {
    let maker = std::sync::Arc::new(super::session(&my.url("driver_held")).await);
    let making = tokio::spawn({
        let maker = maker.clone();
        async move { maker.execute(sql).await }
    });
    let watch = super::session(&my.url("")).await;
    let look = format!(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE id = {} AND state = 'User sleep'",
        maker.id()
    );
    until("the table is held", async || ask(&watch, &look).await == "1").await;
    work().await;
    Session::kill_connection(maker.target(), maker.id()).await.unwrap();
    making.await.unwrap().unwrap_err();
}

async fn tables_that_are_locked_away_are_not_overlooked(flavor: Flavor) {
    // Other tests would meet the locks as well.
    let my = tokio::task::spawn_blocking(move || My::own(flavor, &Options::default())).await.unwrap();
    let session = inside(&my, "driver_held").await;
    session.execute(TABLES).await.unwrap();
    session
        .execute("ALTER TABLE `it's ``odd-1` ADD CONSTRAINT odd FOREIGN KEY (n) REFERENCES child (id)")
        .await
        .unwrap();
    let written = WrittenName { database: None, name: name("child") };
    while_making(&my, "CREATE TABLE other SELECT SLEEP(600) AS s", async || {
        let catalogue = read(&session, &["child"]).await;
        let holders: Vec<&str> =
            table(&catalogue, "child").referenced_by.iter().map(|key| key.table.name.as_str()).collect();
        assert_eq!(holders, ["grandchild", "it's `odd-1"]);
        let held = WrittenName { name: name("other"), ..written.clone() };
        let error = catalogue::read(&session, &[held]).await;
        assert!(error.as_ref().is_ok_and(|found| found.tables.is_empty()) || error.unwrap_err().kind == LockTimeout);
    })
    .await;
    if flavor == Flavor::MariaDb {
        let again = "SET foreign_key_checks = 0; CREATE OR REPLACE TABLE grandchild \
             (id int PRIMARY KEY, CONSTRAINT to_child FOREIGN KEY (id) REFERENCES child (id)) SELECT SLEEP(600) AS id";
        while_making(&my, again, async || {
            assert_eq!(catalogue::read(&session, &[written]).await.unwrap_err().kind, LockTimeout);
        })
        .await;
    }
    drop(session);
    tokio::task::spawn_blocking(move || drop(my)).await.unwrap();
}

mysql_matrix!(
    a_table_is_read_whole,
    what_hangs_on_a_table_is_read_with_it,
    columns_are_read_whole,
    other_kinds_of_tables_are_read_too,
    rights_are_told,
    tables_that_are_locked_away_are_not_overlooked,
);
