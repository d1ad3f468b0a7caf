"""A MariaDB of its own for one test run: made in a temporary folder, gone with the test (when standard input ends).

argv[1]: SQL to begin with, in the database shop. Prints {"port": n, "user": …, "password": …}.
"""
import json, os, pwd, shutil, socket, subprocess, sys, tempfile, time

folder = tempfile.mkdtemp(prefix="tocsin-mariadb-", dir="/tmp")
data, sock = folder + "/data", folder + "/s"
user = []
if os.geteuid() == 0:
    # The server refuses to run as root.
    account = pwd.getpwnam("mysql")
    os.chown(folder, account.pw_uid, account.pw_gid)
    user = ["--user=mysql"]
os.chmod(folder, 0o755)
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
log = open(folder + "/log", "w+")
# A folder for temporary files that is this process's own may be closed to the server's user.
quiet = {"stdout": log, "stderr": log, "cwd": "/", "env": {**os.environ, "TMPDIR": folder}}
server = None
try:
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--datadir=" + data, *user],
        check=True, **quiet)
    server = subprocess.Popen(
        ["mariadbd", "--no-defaults", "--datadir=" + data, "--socket=" + sock, "--bind-address=127.0.0.1", f"--port={port}",
         "--pid-file=" + folder + "/pid", "--innodb-flush-log-at-trx-commit=0", "--character-set-server=utf8mb4", *user], **quiet)
    client = ["mariadb", "--no-defaults", "--socket=" + sock, "-u", "root"]
    for _ in range(300):
        if subprocess.run([*client, "-e", "SELECT 1"], **quiet).returncode == 0:
            break
        time.sleep(0.1)
    with open(sys.argv[1]) as f:
        sql = "CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;\n" + f.read()
    sql += "\nCREATE USER 'tocsin'@'%' IDENTIFIED BY 's3cret-word'; GRANT SELECT ON shop.* TO 'tocsin'@'%';"
    subprocess.run(client, check=True, input=sql.encode(), stdout=subprocess.DEVNULL)
    print(json.dumps({"port": port, "user": "tocsin", "password": "s3cret-word"}), flush=True)
    sys.stdin.read()
except subprocess.CalledProcessError as e:
    log.seek(0)
    sys.exit(f"{e}\n{log.read()[:2500]}")
finally:
    if server:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
    shutil.rmtree(folder, ignore_errors=True)
