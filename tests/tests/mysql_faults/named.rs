//! CHECK constraints of one name in several databases.

use shoofly_tests::{Flavor, mysql_matrix};

use crate::{assert_completed, stage};

const ADD: &str = "ALTER TABLE t ADD CONSTRAINT t_chk_1 CHECK (c > -10)";

/// On MySQL their names are unique in a database, and the new shapes of all runs lie in one.
async fn checks_of_one_name_are_added_side_by_side(flavor: Flavor) {
    let stages = [stage(flavor, "check_one", ADD).await, stage(flavor, "check_other", ADD).await];
    for stage in &stages {
        stage.finish("start").await;
    }
    for stage in stages {
        assert_completed(stage).await;
    }
}

/// A process that dies leaves a copy that has the name: it keeps nobody from it.
async fn a_name_that_was_left_behind_is_taken(flavor: Flavor) {
    let stages = [stage(flavor, "check_left", ADD).await, stage(flavor, "check_after", ADD).await];
    stages[0].die("start", "statement.after:expand.1#2").await;
    stages[1].finish("start").await;
    for stage in stages {
        assert_completed(stage).await;
    }
}

mysql_matrix!(checks_of_one_name_are_added_side_by_side, a_name_that_was_left_behind_is_taken);
