//! A road that loses things: a TCP proxy before a real system that drops requests and, more often, replies.
use crate::Res;
use crate::wire::{Message, Way, read};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How often something is lost: once in so many requests; 0 is never.
#[derive(Clone, Copy, Debug)]
pub struct Losses {
    pub reply: u64,
    pub request: u64,
}

/// What has passed so far.
#[derive(Debug, Default)]
pub struct Counts {
    pub requests: AtomicU64,
    /// Of them, those that tell a shop of a paper: a shipment, an invoice, a parcel's number.
    pub papers: AtomicU64,
    pub lost_replies: AtomicU64,
    pub lost_requests: AtomicU64,
}

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    pub address: SocketAddr,
    pub counts: Arc<Counts>,
    stop: Arc<AtomicBool>,
}

#[derive(Clone, Debug)]
struct Road {
    upstream: String,
    losses: Losses,
    dice: Arc<AtomicU64>,
    counts: Arc<Counts>,
}

impl Proxy {
    /// A proxy before `upstream` (host with port), listening on a port of its own.
    pub fn start(upstream: &str, losses: Losses, seed: u64) -> Res<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("no port for the proxy: {e}"))?;
        let address = listener.local_addr().map_err(|e| format!("the proxy has no address: {e}"))?;
        let counts = Arc::new(Counts::default());
        let stop = Arc::new(AtomicBool::new(false));
        let dice = Arc::new(AtomicU64::new(seed));
        let road = Road { upstream: upstream.to_owned(), losses, dice, counts: Arc::clone(&counts) };
        let stopped = Arc::clone(&stop);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let road = road.clone();
                // A connection that breaks is what this proxy is for; its end is the client's to notice.
                std::thread::spawn(move || drop(road.carry(stream)));
            }
        });
        Ok(Self { address, counts, stop })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

impl Road {
    /// Nothing: carries one connection's exchanges until one is lost or a side closes.
    fn carry(&self, client: TcpStream) -> std::io::Result<()> {
        client.set_read_timeout(Some(Duration::from_secs(120)))?;
        let mut reader = BufReader::new(client.try_clone()?);
        let mut writer = client;
        while let Some(request) = read(&mut reader, Way::Request)? {
            self.counts.requests.fetch_add(1, Ordering::Relaxed);
            self.counts.papers.fetch_add(u64::from(tells_a_paper(&request.head)), Ordering::Relaxed);
            if self.hits(self.losses.request) {
                self.counts.lost_requests.fetch_add(1, Ordering::Relaxed);
                break;
            }
            let Some(reply) = self.ask(&request)? else { break };
            // Here the other side has done the work, and its answer goes nowhere.
            if self.hits(self.losses.reply) {
                self.counts.lost_replies.fetch_add(1, Ordering::Relaxed);
                break;
            }
            writer.write_all(&reply.head)?;
            writer.write_all(&reply.raw_body)?;
            if reply.last || request.last {
                break;
            }
        }
        Ok(())
    }

    fn ask(&self, request: &Message) -> std::io::Result<Option<Message>> {
        let mut stream = TcpStream::connect(&self.upstream)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        stream.write_all(&request.head)?;
        stream.write_all(&request.raw_body)?;
        read(&mut BufReader::new(stream), Way::Reply)
    }

    /// True once in so many.
    fn hits(&self, one_in: u64) -> bool {
        let mut roll = Dice(self.dice.fetch_add(1, Ordering::Relaxed));
        one_in != 0 && roll.below(one_in) == 0
    }
}

/// Whether a request is one by which a Magento is told of a paper.
fn tells_a_paper(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head);
    let mut words = head.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let ends = |ends: &[&str]| ends.iter().any(|end| target.ends_with(end));
    match method {
        "POST" => ends(&["/ship", "/invoice", "/shipment/track"]),
        "DELETE" => target.contains("/shipment/track/"),
        _ => false,
    }
}

/// Numbers that look random and come again from the same seed.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// A number below the bound, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(bound).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::get;

    /// A server that answers each of its first requests with their number.
    fn counter() -> (SocketAddr, Arc<AtomicU64>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&served);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                if read(&mut reader, Way::Request).unwrap().is_some() {
                    let n = count.fetch_add(1, Ordering::SeqCst).to_string();
                    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{n}", n.len())
                        .unwrap();
                }
            }
        });
        (address, served)
    }

    #[test]
    fn without_losses_everything_arrives() {
        let (server, _) = counter();
        let proxy = Proxy::start(&server.to_string(), Losses { reply: 0, request: 0 }, 1).unwrap();
        assert_eq!(get(&format!("http://{}/", proxy.address)).unwrap(), b"0");
    }

    #[test]
    fn a_lost_reply_was_done_and_a_lost_request_was_not() {
        let (server, served) = counter();
        let replies = Proxy::start(&server.to_string(), Losses { reply: 1, request: 0 }, 1).unwrap();
        assert!(get(&format!("http://{}/", replies.address)).is_err());
        assert_eq!((served.load(Ordering::SeqCst), replies.counts.lost_replies.load(Ordering::SeqCst)), (1, 1));
        let requests = Proxy::start(&server.to_string(), Losses { reply: 0, request: 1 }, 1).unwrap();
        assert!(get(&format!("http://{}/", requests.address)).is_err());
        assert_eq!((served.load(Ordering::SeqCst), requests.counts.lost_requests.load(Ordering::SeqCst)), (1, 1));
    }

    #[test]
    fn a_paper_is_told_by_its_own_requests() {
        let told = [
            "POST /rest/V1/order/7/ship HTTP/1.1",
            "POST /rest/all/V1/shipment/track HTTP/1.1",
            "DELETE /V1/shipment/track/3 HTTP/1.1",
        ];
        assert!(told.iter().all(|head| tells_a_paper(head.as_bytes())));
        let others = ["GET /rest/V1/order/7/ship HTTP/1.1", "POST /rest/V1/orders HTTP/1.1", "POST", ""];
        assert!(!others.iter().any(|head| tells_a_paper(head.as_bytes())));
    }

    #[test]
    fn the_dice_are_fair_enough_and_repeat() {
        let hits = |seed| (seed..seed + 4000).filter(|&n| Dice(n).below(20) == 0).count();
        assert!((140..260).contains(&hits(7)), "{}", hits(7));
        assert_eq!(hits(7), hits(7));
    }
}
