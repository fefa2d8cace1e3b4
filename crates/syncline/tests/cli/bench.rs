//! A place to try the binary in: two simulated systems as processes, a directory, and the binary itself.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

const EXE: &str = env!("CARGO_BIN_EXE_syncline");

/// The place; its processes end with it.
pub struct Bench {
    dir: PathBuf,
    processes: Vec<Child>,
    /// The shop's address.
    pub shop: String,
    token: String,
    /// What requests to the shop are signed with: variables and their values.
    keys: Vec<(String, String)>,
    /// The ERP's address, with its database.
    pub erp: String,
    login: String,
    password: String,
}

impl Drop for Bench {
    fn drop(&mut self) {
        for process in &mut self.processes {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

impl Bench {
    /// A directory without systems.
    pub fn alone(name: &str) -> Self {
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}"));
        drop(std::fs::remove_dir_all(&dir));
        std::fs::create_dir_all(&dir).expect("a directory");
        let none = String::new;
        let keys = Vec::new();
        Self { dir, processes: vec![], shop: none(), token: none(), keys, erp: none(), login: none(), password: none() }
    }

    /// Both systems with this many orders.
    pub fn started(name: &str, orders: usize) -> Self {
        Self::with(name, &["--orders", &orders.to_string()], &[])
    }

    /// Both systems, with these flags of their own.
    pub fn with(name: &str, shop: &[&str], erp: &[&str]) -> Self {
        let mut bench = Self::alone(name);
        let told = bench.serve("magento", shop);
        bench.shop = text(&told, "url");
        bench.token = told["token"].as_str().unwrap_or_default().to_string();
        for key in ["consumer_key", "consumer_secret", "access_token", "access_token_secret"] {
            let value =
                told[key].as_str().map(|value| (format!("SYNCLINE_SHOP_{}", key.to_uppercase()), value.to_string()));
            bench.keys.extend(value);
        }
        let told = bench.serve("tryton", erp);
        (bench.erp, bench.login, bench.password) = (text(&told, "url"), text(&told, "login"), text(&told, "password"));
        bench
    }

    /// Starts a second shop with the same goods. Returns its flag for `init`, where it is called `outlet`, and its address.
    pub fn outlet(&mut self, orders: usize) -> (String, String) {
        let told = self.serve("magento", &["--orders", &orders.to_string()]);
        self.keys.push(("SYNCLINE_OUTLET_TOKEN".to_string(), text(&told, "token")));
        (format!("outlet=magento={}", text(&told, "url")), text(&told, "url"))
    }

    fn serve(&mut self, system: &str, flags: &[&str]) -> Value {
        let mut process = Command::new(EXE)
            .args(["sim", "serve", system, "--seed", "5", "--products", "40"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a simulated system");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("its stdout");
        BufReader::new(stdout).read_line(&mut line).expect("its line");
        self.processes.push(process);
        serde_json::from_str(&line).expect("one line of JSON")
    }

    /// Both systems are switched off.
    pub fn end_systems(&mut self) {
        for mut process in self.processes.drain(..) {
            drop(process.kill());
            drop(process.wait());
        }
    }

    pub fn shop_flag(&self) -> String {
        format!("magento={}", self.shop)
    }

    pub fn erp_flag(&self) -> String {
        format!("tryton={}", self.erp)
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn has(&self, name: &str) -> bool {
        std::fs::read_dir(&self.dir)
            .expect("the directory")
            .any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with(name)))
    }

    pub fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("the file")
    }

    pub fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    fn command(&self, token: &str, args: &[&str]) -> Command {
        let mut command = Command::new(EXE);
        command.current_dir(&self.dir).args(args).env_remove("SYNCLINE_SHOP_TOKEN");
        command.env("SYNCLINE_ERP_LOGIN", &self.login).env("SYNCLINE_ERP_PASSWORD", &self.password);
        command.envs(self.keys.iter().map(|(name, value)| (name, value)));
        if !token.is_empty() {
            command.env("SYNCLINE_SHOP_TOKEN", token);
        }
        command
    }

    fn ended(&self, token: &str, args: &[&str], code: i32) -> Output {
        let output = self.command(token, args).output().expect("it starts");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "syncline {}\n{out}\n{err}", args.join(" "));
        output
    }

    /// Whether it ends with `code` within ten seconds, asked again and again.
    pub fn comes_to(&self, args: &[&str], code: i32) -> bool {
        (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            self.command(&self.token, args).output().expect("it starts").status.code() == Some(code)
        })
    }

    /// What it says on stdout; it has to end with `code`.
    pub fn run(&self, args: &[&str], code: i32) -> String {
        String::from_utf8(self.ended(&self.token, args, code).stdout).expect("text")
    }

    /// The JSON it tells.
    pub fn json(&self, args: &[&str], code: i32) -> Value {
        self.json_as(&self.token, args, code)
    }

    /// The same with another token; none where it is empty.
    pub fn json_as(&self, token: &str, args: &[&str], code: i32) -> Value {
        let all: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let output = self.ended(token, &all, code);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{args:?}: {e}: {}", String::from_utf8_lossy(&output.stdout)))
    }

    /// The lines of JSON it tells.
    pub fn lines(&self, args: &[&str], code: i32) -> Vec<Value> {
        self.run(args, code).lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// Starts a pass and kills it on its way.
    pub fn killed_sync(&self) {
        let mut process = self.command(&self.token, &["sync"]).stderr(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(80));
        drop(process.kill());
        drop(process.wait());
    }

    /// The daemon, once it has told its first pass.
    pub fn daemon(&self) -> Child {
        let mut process = self
            .command(&self.token, &["run", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let stdout = process.stdout.as_mut().expect("its stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a pass");
        assert!(line.contains("\"writes\""), "{line}");
        process
    }

    /// The exit code of `process` after SIGTERM.
    pub fn terminated(&self, mut process: Child) -> Option<i32> {
        let sent = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        let status: ExitStatus = process.wait().expect("it ends");
        status.code()
    }

    /// What it says on stderr while nobody reads its stdout.
    pub fn unread(&self, args: &[&str]) -> String {
        let mut process =
            self.command(&self.token, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(process.stdout.take());
        let output = process.wait_with_output().expect("it ends");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Exit code and stderr while stdout goes to a disk without space.
    #[cfg(target_os = "linux")]
    pub fn on_full_disk(&self, args: &[&str]) -> (Option<i32>, String) {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a full disk");
        let output = self.command(&self.token, args).stdout(full).output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// What the ERP really holds.
    pub fn erp_ledger(&self) -> Value {
        let root = self.erp.rsplit_once('/').expect("a database").0;
        serde_json::from_str(&get(root, "/_sim/ledger").1).expect("a ledger")
    }

    /// The shop's orders in its own JSON.
    pub fn shop_orders(&self) -> Vec<Value> {
        let path = "/rest/default/V1/orders?searchCriteria[pageSize]=100";
        let (_, body) = sent(&self.shop, "GET", path, &format!("authorization: Bearer {}\r\n", self.token), "");
        let told: Value = serde_json::from_str(&body).expect("orders");
        told["items"].as_array().expect("a list").clone()
    }
}

fn text(told: &Value, key: &str) -> String {
    told[key].as_str().expect(key).to_string()
}

/// Status and body of a GET.
pub fn get(root: &str, path: &str) -> (u16, String) {
    sent(root, "GET", path, "", "")
}

/// Status and body of a POST of JSON.
pub fn post(root: &str, path: &str, body: &str) -> (u16, String) {
    sent(root, "POST", path, "content-type: application/json\r\n", body)
}

/// Status and body of any request; each of `headers` ends its line.
pub fn sent(root: &str, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let host = root.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("a connection");
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.0\r\nhost: {host}\r\n{headers}content-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(body.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    (status, body.to_string())
}

/// The address of a server that says the same to everybody, as long as the test runs.
pub fn server(kind: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0; 65536];
            drop(stream.read(&mut request));
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            drop(stream.write_all(format!("{head}{body}").as_bytes()));
        }
    });
    format!("http://{address}")
}
