//! Batches that the server breaks off without a word: a `KILL QUERY` that comes between two statements of one is lost. The server
//! has said then that more results follow, keeps what is locked, and waits for the next statement.
//!
//! That moment is too short to be hit at will. A relay between the program and the server makes it: it passes on only the
//! beginning of a batch, and says in the answer to it that more follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shoofly_tests::{Flavor, mysql_matrix};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::{WIDEN, assert_completed, stage};

const COM_QUERY: u8 = 3;
const OK: u8 = 0;
const MORE_RESULTS: u8 = 8;
/// A batch that locks a table after something else; a plan that is written down has no such text.
const LOCKS: &[u8] = b"; LOCK TABLES ";
/// Where the relay cuts: behind this.
const LOCKED: &[u8] = b" WRITE;";

/// Passes on what program and server say, but the rest of the first batch that locks a table.
struct Relay {
    port: u16,
    cut: Arc<AtomicBool>,
}

impl Relay {
    async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(AtomicBool::new(false));
        let once = Arc::clone(&cut);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let owed = Arc::new(AtomicBool::new(false));
                tokio::spawn(statements(from_client, to_server, Arc::clone(&once), Arc::clone(&owed)));
                tokio::spawn(answers(from_server, to_client, owed));
            }
        });
        Self { port, cut }
    }
}

/// The next packet, its header included; nothing once the connection is closed.
async fn packet(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let mut header = [0; 4];
    from.read_exact(&mut header).await.ok()?;
    let length = usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
    let mut packet = header.to_vec();
    packet.resize(4 + length, 0);
    from.read_exact(&mut packet[4..]).await.ok()?;
    Some(packet)
}

async fn statements(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: Arc<AtomicBool>, owed: Arc<AtomicBool>) {
    while let Some(mut packet) = packet(&mut from).await {
        let locks = packet.get(4) == Some(&COM_QUERY) && packet.windows(LOCKS.len()).any(|words| words == LOCKS);
        let behind = packet.windows(LOCKED.len()).position(|words| words == LOCKED).map(|at| at + LOCKED.len() - 1);
        if let Some(at) = behind.filter(|_| locks && !cut.swap(true, Ordering::SeqCst)) {
            packet[at..].fill(b' ');
            owed.store(true, Ordering::SeqCst);
        }
        if to.write_all(&packet).await.is_err() {
            return;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, owed: Arc<AtomicBool>) {
    while let Some(mut packet) = packet(&mut from).await {
        // No rows changed, no number given: both are one byte, and then the status.
        if packet.get(4) == Some(&OK) && packet.len() >= 11 && owed.load(Ordering::SeqCst) {
            // Statements before the last have said so themselves.
            if packet[7] & MORE_RESULTS == 0 {
                packet[7] |= MORE_RESULTS;
                owed.store(false, Ordering::SeqCst);
            }
        }
        if to.write_all(&packet).await.is_err() {
            return;
        }
    }
}

/// The application goes on soon, and so does the run.
async fn a_batch_that_is_broken_off_holds_nobody_up(flavor: Flavor) {
    let stage = stage(flavor, "broken_off", WIDEN).await;
    let url = stage.live.url();
    let port = url.rsplit_once('@').unwrap().1.split([':', '/']).nth(1).unwrap();
    let relay = Relay::to(port.parse().unwrap()).await;
    let url = format!("{}?ssl-mode=disabled", url.replace(&format!(":{port}/"), &format!(":{}/", relay.port)));
    let said = stage.run(&["start", "--url", &url]).await;
    said.assert(0, &[]);
    assert!(relay.cut.load(Ordering::SeqCst), "no batch has locked a table");
    assert_completed(stage).await;
}

mysql_matrix!(a_batch_that_is_broken_off_holds_nobody_up);
