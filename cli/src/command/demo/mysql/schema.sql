-- pgbench's bank, as an application of this server would have it. Statements end at the end of a line.
CREATE TABLE branches (bid int NOT NULL PRIMARY KEY, bbalance bigint NOT NULL, filler char(88) NOT NULL);
CREATE TABLE tellers (tid int NOT NULL PRIMARY KEY, bid int NOT NULL, tbalance bigint NOT NULL, filler char(84) NOT NULL, KEY (bid), FOREIGN KEY (bid) REFERENCES branches (bid));
CREATE TABLE accounts (aid int NOT NULL AUTO_INCREMENT PRIMARY KEY COMMENT 'runs out at 2147483647', bid int NOT NULL, abalance bigint NOT NULL DEFAULT 0, filler char(84) NOT NULL, KEY of_a_branch (bid));
CREATE TABLE history (hid bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, tid int NOT NULL, bid int NOT NULL, aid bigint NOT NULL, delta bigint NOT NULL, mtime datetime(6) NOT NULL, KEY of_an_account (aid), FOREIGN KEY (tid) REFERENCES tellers (tid), FOREIGN KEY (bid) REFERENCES branches (bid));
