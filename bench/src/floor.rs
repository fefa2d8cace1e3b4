//! The least work that does the job: raw HTTP, one mapping, ids kept by group commits. It retries nothing, notes nothing before
//! it sends, and keeps no base: what a product needs beyond it is the price of its promises.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::{Arc, mpsc};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc as pages};

/// What is asked of a floor.
#[derive(Debug, Clone)]
pub struct Wish {
    /// `host:port` of both APIs.
    pub at: String,
    /// The file that keeps ids.
    pub crosswalk: String,
    pub single: bool,
    /// Only what changed is carried; all of it is known.
    pub changed: bool,
    pub page: u64,
    pub batch: usize,
    pub side_by_side: usize,
}

type Res<T> = Result<T, String>;

/// One connection.
struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Line {
    async fn open(at: &str) -> Res<Self> {
        let stream = TcpStream::connect(at).await.map_err(|e| format!("{at}: {e}"))?;
        stream.set_nodelay(true).map_err(|e| e.to_string())?;
        Ok(Self { stream, buffer: Vec::with_capacity(1 << 20) })
    }

    async fn more(&mut self) -> Res<()> {
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => Err("the server hung up".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The body of a good answer.
    async fn call(&mut self, method: &str, path: &str, body: &[u8]) -> Res<&[u8]> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: b\r\n").into_bytes();
        if !body.is_empty() {
            head.extend(format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()).into_bytes());
        }
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(body);
        self.stream.write_all(&head).await.map_err(|e| e.to_string())?;
        self.buffer.clear();
        let end = loop {
            self.more().await?;
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = std::str::from_utf8(&self.buffer[..end]).map_err(|e| e.to_string())?.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        let length = length.ok_or("an answer without a length")?;
        while self.buffer.len() < end + length {
            self.more().await?;
        }
        match head.get(9..10) {
            Some("2") => Ok(&self.buffer[end..end + length]),
            _ => Err(format!("{method} {path}: {}", head.lines().next().unwrap_or_default())),
        }
    }
}

/// A page of the source.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<Product<'a>>,
}

#[derive(Deserialize)]
struct Product<'a> {
    id: u64,
    #[serde(borrow)]
    sku: Cow<'a, str>,
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow)]
    price: Cow<'a, str>,
    #[serde(borrow)]
    weight: &'a RawValue,
    qty: i64,
    #[serde(borrow)]
    ean: &'a RawValue,
    #[serde(borrow)]
    tax_class: &'a RawValue,
    #[serde(borrow)]
    description: &'a RawValue,
}

impl Product<'_> {
    /// The item it becomes, with the id of the one that is to change.
    fn mapped(&self, id: Option<&str>, into: &mut String) {
        into.push('{');
        if let Some(id) = id {
            let _ = write!(into, "\"id\":\"{id}\",");
        }
        let _ = write!(
            into,
            "\"number\":\"{}\",\"displayName\":{},\"unitPrice\":{},\"inventory\":{},\"gtin\":{},\"netWeight\":{},\
             \"taxGroupCode\":{},\"externalId\":{},\"description\":{}}}",
            self.sku, self.name, self.price, self.qty, self.ean, self.weight, self.tax_class, self.id, self.description
        );
    }
}

#[derive(Deserialize)]
struct Results<'a> {
    #[serde(borrow)]
    results: Vec<Row<'a>>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    number: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    status: u16,
}

#[derive(Deserialize)]
struct Made<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

fn opened(file: &str) -> Res<Connection> {
    let store = Connection::open(file).map_err(|e| format!("{file}: {e}"))?;
    let made = store.execute_batch(
        "pragma journal_mode=WAL; pragma synchronous=FULL; pragma cache_size=-65536;
         create table if not exists crosswalk(source text primary key, target text not null) without rowid;",
    );
    made.map(|()| store).map_err(|e| format!("{file}: {e}"))
}

/// Fills `file` as it is once the first `products` were carried.
pub fn crosswalk(file: &str, products: u64) -> Res<()> {
    let mut store = opened(file)?;
    let all = (0..products).map(|n| (format!("SKU-{n:08}"), format!("i{n:010}")));
    kept(&mut store, all)
}

fn kept(store: &mut Connection, rows: impl Iterator<Item = (String, String)>) -> Res<()> {
    let write = |store: &mut Connection| {
        let work = store.transaction()?;
        {
            let mut put = work.prepare_cached("insert or replace into crosswalk values(?,?)")?;
            for row in rows {
                put.execute(row)?;
            }
        }
        work.commit()
    };
    write(store).map_err(|e| e.to_string())
}

/// Keeps rows in one transaction for as many as have come, each of them synced.
fn keeper(file: String) -> (mpsc::Sender<Vec<(String, String)>>, std::thread::JoinHandle<Res<()>>) {
    let (tell, told) = mpsc::channel::<Vec<(String, String)>>();
    let keeper = std::thread::spawn(move || {
        let mut store = opened(&file)?;
        while let Ok(first) = told.recv() {
            kept(&mut store, first.into_iter().chain(told.try_iter().flatten()))?;
        }
        Ok(())
    });
    (tell, keeper)
}

/// Carries everything, and says what it took.
pub async fn run(wish: &Wish) -> Res<()> {
    let began = Instant::now();
    let (send, read) = pages::channel::<Vec<u8>>(4);
    let read = Arc::new(Mutex::new(read));
    let fetching = tokio::spawn(fetched(wish.clone(), send));
    let (keep, keeper) = keeper(wish.crosswalk.clone());
    let mut workers = Vec::new();
    for _ in 0..wish.side_by_side.max(1) {
        workers.push(tokio::spawn(carried(wish.clone(), read.clone(), keep.clone())));
    }
    drop(keep);
    let mut calls = fetching.await.map_err(|e| e.to_string())??;
    let mut records = 0;
    for worker in workers {
        let (more, sent) = worker.await.map_err(|e| e.to_string())??;
        (records, calls) = (records + more, calls + sent);
    }
    keeper.join().map_err(|_| "the crosswalk broke off".to_owned())??;
    println!("{{\"records\":{records},\"calls\":{calls},\"ms\":{}}}", began.elapsed().as_millis());
    Ok(())
}

/// Reads every page; how many there were.
async fn fetched(wish: Wish, send: pages::Sender<Vec<u8>>) -> Res<u64> {
    let mut line = Line::open(&wish.at).await?;
    let since = if wish.changed { "&updated_since=1" } else { "" };
    for page in 1.. {
        let path = format!("/src/products?page={page}&limit={}{since}", wish.page);
        let body = line.call("GET", &path, b"").await?;
        let last = body.ends_with(b"\"next\":null}");
        send.send(body.to_vec()).await.map_err(|_| "nobody takes pages".to_owned())?;
        if last {
            return Ok(page);
        }
    }
    Ok(0)
}

type Pages = Arc<Mutex<pages::Receiver<Vec<u8>>>>;

/// Writes what the pages hold; how many records by how many calls.
async fn carried(wish: Wish, pages: Pages, keep: mpsc::Sender<Vec<(String, String)>>) -> Res<(u64, u64)> {
    let mut line = Line::open(&wish.at).await?;
    let known = if wish.changed { Some(opened(&wish.crosswalk)?) } else { None };
    let (mut records, mut calls) = (0, 0);
    loop {
        let Some(body) = pages.lock().await.recv().await else { return Ok((records, calls)) };
        let page: Page<'_> = serde_json::from_slice(&body).map_err(|e| e.to_string())?;
        let ids = ids(known.as_ref(), &page)?;
        let all: Vec<(&Product<'_>, Option<&str>)> =
            page.items.iter().enumerate().map(|(n, one)| (one, ids.get(n).map(String::as_str))).collect();
        let mut rows = Vec::with_capacity(all.len());
        for some in all.chunks(if wish.single { 1 } else { wish.batch.max(1) }) {
            let made = if wish.single { one(&mut line, some).await? } else { many(&mut line, some).await? };
            rows.extend(made);
            records += some.len() as u64;
            calls += 1;
        }
        if known.is_none() {
            keep.send(rows).map_err(|_| "nobody keeps ids".to_owned())?;
        }
    }
}

/// The ids of what a page holds, where they are known.
fn ids(known: Option<&Connection>, page: &Page<'_>) -> Res<Vec<String>> {
    let Some(known) = known else { return Ok(Vec::new()) };
    let mut look = known.prepare_cached("select target from crosswalk where source=?").map_err(|e| e.to_string())?;
    let look = |one: &Product<'_>| look.query_row([&one.sku], |row| row.get(0)).map_err(|e| e.to_string());
    page.items.iter().map(look).collect()
}

type Rows = Vec<(String, String)>;

async fn one(line: &mut Line, some: &[(&Product<'_>, Option<&str>)]) -> Res<Rows> {
    let Some((product, id)) = some.first() else { return Ok(Vec::new()) };
    let mut body = String::with_capacity(1_200);
    product.mapped(None, &mut body);
    match id {
        Some(id) => line.call("PUT", &format!("/dst/items/{id}"), body.as_bytes()).await.map(|_| Vec::new()),
        None => {
            let answer = line.call("POST", "/dst/items", body.as_bytes()).await?;
            let made: Made<'_> = serde_json::from_slice(answer).map_err(|e| e.to_string())?;
            Ok(vec![(product.sku.to_string(), made.id.to_string())])
        }
    }
}

async fn many(line: &mut Line, some: &[(&Product<'_>, Option<&str>)]) -> Res<Rows> {
    let mut body = String::with_capacity(some.len() * 1_200);
    body.push_str("{\"items\":[");
    for (n, (product, id)) in some.iter().enumerate() {
        if n > 0 {
            body.push(',');
        }
        product.mapped(*id, &mut body);
    }
    body.push_str("]}");
    let method = if some.iter().any(|(_, id)| id.is_some()) { "PUT" } else { "POST" };
    let answer = line.call(method, "/dst/items/batch", body.as_bytes()).await?;
    let told: Results<'_> = serde_json::from_slice(answer).map_err(|e| e.to_string())?;
    match told.results.iter().find(|row| row.status >= 300) {
        Some(bad) => Err(format!("{}: {}", bad.number, bad.status)),
        None => Ok(told.results.iter().map(|row| (row.number.to_string(), row.id.to_string())).collect()),
    }
}
