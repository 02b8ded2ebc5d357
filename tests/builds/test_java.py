"""Maven and Gradle projects: built, run with a heap that fits the dyno, and refused with the line to change."""
import io
import pathlib
import re
import shutil
import subprocess
import zipfile

import pytest

from support.instance import wait_for
from support.pushes import accepted, refused

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAIN = """package shop;
import com.google.gson.Gson;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.Map;

public class Main {
  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(System.getenv("PORT"));
    HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
    server.createContext("/", exchange -> {
      byte[] text = new Gson().toJson(Map.of("greeting", GREETING, "heap", Runtime.getRuntime().maxMemory() >> 20)).getBytes();
      exchange.sendResponseHeaders(200, text.length);
      exchange.getResponseBody().write(text);
      exchange.close();
    });
    server.start();
  }
  static final String GREETING = "hello";
}
"""
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>shop</groupId><artifactId>shop</artifactId><version>1</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source>
    <maven.compiler.target>17</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency><groupId>com.google.code.gson</groupId><artifactId>gson</artifactId><version>2.10.1</version></dependency>
  </dependencies>
  <build><plugins>
    <plugin><artifactId>maven-dependency-plugin</artifactId><version>3.6.1</version><executions><execution>
      <phase>package</phase><goals><goal>copy-dependencies</goal></goals>
    </execution></executions></plugin>
  </plugins></build>
</project>
"""
MAVEN = {"pom.xml": POM, "src/main/java/shop/Main.java": MAIN,
         "Procfile": "web: java -cp 'target/shop-1.jar:target/dependency/*' shop.Main\r\n"}
SPRING_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent>
    <groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-parent</artifactId><version>3.5.7</version>
  </parent>
  <groupId>shop</groupId><artifactId>shop</artifactId><version>1</version>
  <properties><java.version>17</java.version></properties>
  <dependencies>
    <dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency>
  </dependencies>
  <build><plugins>
    <plugin><groupId>org.springframework.boot</groupId><artifactId>spring-boot-maven-plugin</artifactId></plugin>
  </plugins></build>
</project>
"""
SPRING_MAIN = """package shop;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@SpringBootApplication
@RestController
public class Shop {
  @GetMapping("/") String greet() { return "hello from Spring"; }
  public static void main(String[] arguments) { SpringApplication.run(Shop.class, arguments); }
}
"""
GRADLE = {"build.gradle": """apply plugin: 'java'
apply plugin: 'application'
mainClassName = 'shop.Main'
repositories { mavenCentral() }
dependencies { compile 'com.google.code.gson:gson:2.10.1' }
""", "settings.gradle": "rootProject.name = 'shop'\n", "src/main/java/shop/Main.java": MAIN}
# What the real wrappers do beyond this is to fetch the program.
WRAPPER = '#!/bin/sh\r\necho "the wrapper of the app"\r\nexec %s "$@"\r\n'


@pytest.fixture(scope="module")
def maven(skiff):
    """One app for most pushes, so that Maven's plugins are fetched once; likewise Gradle's."""
    return skiff.app({})


@pytest.fixture(scope="module")
def gradle(skiff):
    return skiff.app({})


def test_maven_builds_and_the_second_push_fetches_nothing(maven):
    accepted(maven.push_as(MAVEN), "Java app detected", "BUILD SUCCESS")
    answer = maven.get().split("\n\n", 1)[1]
    assert '"greeting":"hello"' in answer, answer
    # A part of the dyno's 512 MB, so that what else a JVM takes has room.
    heap = int(re.search(r'"heap":(\d+)', answer).group(1))
    assert 200 <= heap <= 330, answer
    # Without the network: all that is needed was kept.
    changed = {**MAVEN, "src/main/java/shop/Main.java": MAIN.replace('"hello"', '"hello again"')}
    accepted(maven.push_as(changed, ["MAVEN_CUSTOM_OPTS=-DskipTests --offline"]))
    assert wait_for(lambda: "hello again" in maven.get()), maven.get()


def test_spring_boot_needs_no_procfile(maven):
    accepted(maven.push_as({"pom.xml": SPRING_POM, "src/main/java/shop/Shop.java": SPRING_MAIN}),
             "web: java -Dserver.port=$PORT $JAVA_OPTS -jar target/shop-1.jar")
    assert wait_for(lambda: "hello from Spring" in maven.get()), maven.get()


def test_gradle_without_a_wrapper_runs_its_application(gradle):
    accepted(gradle.push_as(GRADLE), "Gradle app detected", "no Gradle wrapper", "web: build/install/shop/bin/shop")
    assert wait_for(lambda: '"greeting":"hello"' in gradle.get()), gradle.get()
    changed = {**GRADLE, "src/main/java/shop/Main.java": MAIN.replace('"hello"', '"hello again"')}
    accepted(gradle.push_as(changed, ["GRADLE_TASK=installDist --offline"]))
    assert wait_for(lambda: "hello again" in gradle.get()), gradle.get()


def test_the_apps_own_wrappers_build(maven, gradle):
    accepted(maven.push_as({**MAVEN, "mvnw": WRAPPER % "mvn", ".mvn/wrapper/maven-wrapper.properties": "wrapperVersion=3.3.2\n"}),
             "the wrapper of the app")
    accepted(gradle.push_as({**GRADLE, "gradlew": WRAPPER % "gradle", "gradle/wrapper/gradle-wrapper.jar": "a jar",
                             "gradle/wrapper/gradle-wrapper.properties": "distributionUrl=https\\://example.com/gradle-8.5-bin.zip\n"}),
             "the wrapper of the app")


def test_wrappers_that_lack_their_files(maven, gradle):
    refused(maven.push_as({**MAVEN, "mvnw": WRAPPER % "mvn", "pom.xml": "<project>"}), "mvnw is not used", "git add -f .mvn/wrapper",
            "POM /app/pom.xml")
    refused(gradle.push_as({**GRADLE, "gradlew": WRAPPER % "gradle"}), "git add -f gradle/wrapper/gradle-wrapper.jar")


def test_a_buildpack_that_is_named_for_another_app(skiff):
    app = skiff.app({"README": "just words", "Procfile": "web: none\n"})
    for pack, file in (("heroku/java", "pom.xml"), ("heroku/gradle", "build.gradle")):
        skiff.skiff("buildpacks:set", pack, "-a", app.name)
        pushed = app.push()
        refused(pushed, f" !     There is no {file} in the app's top folder, which has: Procfile README")
        assert "BUILD FAIL" not in pushed.said


@pytest.mark.parametrize("kind, answer", [("xml", "Java\n"), ("groovy", "Java\n"), ("yml", "Java\n"), ("txt", "")])
def test_files_of_mavens_extensions_are_mavens(tmp_path, kind, answer):
    (tmp_path / f"pom.{kind}").write_text("")
    done = subprocess.run(["bash", ROOT / "buildpacks/java/bin/detect", tmp_path], capture_output=True, text=True)
    assert (done.returncode == 0, done.stdout) == (bool(answer), answer)


def jar(main):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as writer:
        writer.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\r\n{main}")
        writer.writestr("padding", "x" * len(main))
    return data.getvalue()


SPRING_JAR = jar("Main-Class: org.springframework.boot.loader.launch.JarLauncher\r\n")
MAIN_JAR, PLAIN_JAR = jar("Main-Class: shop.Main\r\n"), jar("")
MICRONAUT = "<dependency><groupId>io.micronaut</groupId></dependency>"


@pytest.mark.parametrize("pack, files, web", [
    ("java", {"target/a-1.jar": SPRING_JAR, "target/b-plain.jar": PLAIN_JAR}, "java -Dserver.port=$PORT $JAVA_OPTS -jar target/a-1.jar"),
    ("java", {"target/a-1.jar": SPRING_JAR, "Procfile": b"worker: java -jar target/a-1.jar\n"}, None),
    ("java", {"target/a-1.jar": MAIN_JAR}, None),
    ("java", {"target/a-1.jar": MAIN_JAR, "target/original-a-1.jar": PLAIN_JAR, "pom.xml": MICRONAUT.encode()},
     "java -Dmicronaut.server.port=$PORT $JAVA_OPTS -jar target/a-1.jar"),
    ("java", {"target/quarkus-app/quarkus-run.jar": MAIN_JAR}, "java -Dquarkus.http.port=$PORT $JAVA_OPTS -jar target/quarkus-app/quarkus-run.jar"),
    ("java", {"pom.xml": b""}, None),
    ("gradle", {"build/libs/a.jar": SPRING_JAR, "build/libs/a-plain.jar": PLAIN_JAR}, "java -Dserver.port=$PORT $JAVA_OPTS -jar build/libs/a.jar"),
    ("gradle", {"build/libs/a-all.jar": MAIN_JAR, "build.gradle": b"plugins { id 'io.micronaut.application' }\n"},
     "java -Dmicronaut.server.port=$PORT $JAVA_OPTS -jar build/libs/a-all.jar"),
    ("gradle", {"build/quarkus-app/quarkus-run.jar": MAIN_JAR}, "java -Dquarkus.http.port=$PORT $JAVA_OPTS -jar build/quarkus-app/quarkus-run.jar"),
    ("gradle", {"build/install/a/bin/a": b"#!/bin/sh\n", "build/install/a/bin/a.bat": b""}, "build/install/a/bin/a"),
    ("gradle", {"build/install/a/bin/a": b"#!/bin/sh\n", "Procfile": b"worker: x\n"}, None),
])
def test_what_runs_by_itself(tmp_path, pack, files, web):
    shutil.copytree(ROOT / "buildpacks" / pack, tmp_path / "pack")
    script = tmp_path / "pack/bin/release"
    script.write_text(script.read_text().replace("/skiff/buildpacks", str(ROOT / "buildpacks")))
    for name, data in files.items():
        path = tmp_path / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755)
    said = subprocess.run(["bash", script, tmp_path / "app"], capture_output=True, text=True, check=True).stdout
    assert said == "---\n" + (f"default_process_types:\n  web: {web}\n" if web else "")


@pytest.mark.parametrize("name, text, task", [
    ("build.gradle", "task stage(dependsOn: ['clean', 'installDist'])", "stage"),
    ("build.gradle", "id 'org.springframework.boot'\ntask('stage') {}", "stage"),
    ("build.gradle.kts", 'tasks {\n  register("stage") { dependsOn("build") }\n}', "stage"),
    ("build.gradle.kts", "val stage by tasks.registering { dependsOn(installDist) }", "stage"),
    ("build.gradle.kts", 'tasks.create<Copy>("stage") {}', "stage"),
    ("gradle/heroku.gradle", "task stage {}", "stage"),
    ("build.gradle", "// task stage {}\napply plugin: 'application'", "installDist -x test"),
    ("build.gradle", "task stageAll {}", "assemble"),
    ("gradle/libs.versions.toml", 'spring-boot = { id = "org.springframework.boot", version = "3.5.7" }', "build -x check"),
    ("build.gradle", "id 'io.quarkus'", "build -x check"),
    ("build.gradle", "id 'io.micronaut.application'\nid 'com.gradleup.shadow'", "shadowJar -x check"),
    ("build.gradle", "apply plugin: 'java'", "assemble"),
])
def test_the_task_that_gradle_is_given(tmp_path, name, text, task):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text + "\n")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", f". {ROOT}/buildpacks/gradle/lib/gradle.sh; default_task {tmp_path}"],
                          capture_output=True, text=True, check=True)
    assert done.stdout == task + "\n"


def test_another_maven_of_the_registry(maven):
    refused(maven.push_as({**MAVEN, "system.properties": "maven.version=newest\n"}), "maven.version=newest is no version")
    refused(maven.push_as({**MAVEN, "system.properties": "maven.version=3.0.99\n"}), "system.properties asks for Maven 3.0.99",
            "Could not find artifact")
    files = {"system.properties": "maven.version=3.9.9\r\njava.runtime.version=temurin-17\r\n", "pom.xml": "<project>"}
    refused(maven.push_as(files), "Fetching Maven 3.9.9", "POM /app/pom.xml")
    assert "Fetching Maven" not in refused(maven.push_as(files), "POM /app/pom.xml")  # it was kept


def check_java(folder, files):
    """What a build with Java 17.0.9 says to these files; nothing when it goes on."""
    for name, text in files.items():
        (folder / name).write_text(text)
    script = f'. {ROOT}/buildpacks/lib/jvm.sh; find_java() {{ java_version=17.0.9; }}; check_java "{folder}"'
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=30)
    assert done.returncode == (1 if done.stdout else 0) and not done.stderr, done
    return done.stdout


@pytest.mark.parametrize("files", [
    {}, {"system.properties": "java.runtime.version=17\r\n"}, {"system.properties": "# none\nmaven.version=3.9.9\n"},
    {".java-version": "temurin-17\n"}, {".tool-versions": "java openjdk-17.0.9\n"}, {".java-version": "17.0\n"},
    {"system.properties": "java.runtime.version=17\n", ".java-version": "25\n"},
])
def test_a_java_that_can_be_had(tmp_path, files):
    assert check_java(tmp_path, files) == ""


@pytest.mark.parametrize("name, text, words", [
    ("system.properties", "java.runtime.version=21\n", ["system.properties asks for Java 21", "Debian 12 has Java 17"]),
    ("system.properties", "java.runtime.version = 1.8\r\n", ["system.properties asks for Java 1.8", "Debian 12 has Java 17"]),
    ("system.properties", "java.runtime.version=17.0.1\n", ["asks for Java 17.0.1", "the stack has 17.0", ": 17"]),
    (".java-version", "temurin-25\n", [".java-version asks for Java temurin-25"]),
    (".tool-versions", "nodejs 20.1.0\njava openjdk-11.0.2\n", [".tool-versions asks for Java openjdk-11.0.2"]),
])
def test_a_java_that_cannot_be_had(tmp_path, name, text, words):
    said = check_java(tmp_path, {name: text})
    for word in words:
        assert word in said, said


@pytest.mark.parametrize("tool, files", [("maven", MAVEN), ("gradle", GRADLE)])
def test_another_java_refuses_the_push(request, tool, files):
    said = refused(request.getfixturevalue(tool).push_as({**files, ".java-version": "21\n"}), " !     .java-version asks for Java 21")
    assert "-----> Building" not in said, said


def test_what_the_build_says_is_explained(maven):
    refused(maven.push_as({**MAVEN, "pom.xml": POM.replace("target>17", "target>99")}), "invalid target release: 99",
            "wants a newer Java than 17", "pom.xml")
    refused(maven.push_as({**MAVEN, "pom.xml": POM.replace("2.10.1", "2.10.1-never")}),
            "Maven could not get com.google.code.gson:gson:jar:2.10.1-never")
    refused(maven.push_as({"pom.xml": "<project>"}, ["MAVEN_SETTINGS_PATH=none.xml"]), "MAVEN_SETTINGS_PATH names none.xml")


def test_gradle_failures_are_explained(gradle):
    refused(gradle.push_as(GRADLE, ["GRADLE_TASK=ship"]), 'The build has no task "ship"', "GRADLE_TASK=<task>")
    changed = {**GRADLE, "build.gradle": GRADLE["build.gradle"].replace("2.10.1", "2.10.1-never")}
    refused(gradle.push_as(changed), "Gradle could not get a dependency")


def test_settings_with_a_secret_of_the_config(skiff):
    """A mirror that is not there, by the app's settings.xml: it is asked, with what the config var says."""
    settings = """<settings><mirrors><mirror><id>ours</id><mirrorOf>*</mirrorOf>
      <url>http://127.0.0.1:9/${env.REPOSITORY}</url></mirror></mirrors></settings>"""
    app = skiff.app({**MAVEN, "settings.xml": settings}, ["REPOSITORY=secret-place"])
    refused(app.push(), "127.0.0.1:9/secret-place")


def jvm_profile(**environment):
    """What a dyno's shell has once it has read the profile."""
    script = f". {ROOT}/buildpacks/lib/jvm_profile.sh; env -0"
    done = subprocess.run(["bash", "-euc", script], env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True,
                          timeout=30, check=True)
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


def test_addresses_of_databases_for_jdbc():
    told = jvm_profile(DATABASE_URL="postgres://me:p%40ss@db.example.com:5432/shop?sslmode=require")
    address = "jdbc:postgresql://db.example.com:5432/shop?sslmode=require&user=me&password=p%40ss"
    assert told["JDBC_DATABASE_URL"] == told["SPRING_DATASOURCE_URL"] == address
    assert told["JDBC_DATABASE_USERNAME"] == told["SPRING_DATASOURCE_USERNAME"] == "me"
    assert "JDBC_DATABASE_URL" not in jvm_profile(DATABASE_URL="sqlite:///x.db")
    assert jvm_profile(DATABASE_URL="postgres://h/d", JDBC_DATABASE_URL="mine")["JDBC_DATABASE_URL"] == "mine"
    pooled = jvm_profile(DATABASE_URL="postgres://a:b@h/d", DATABASE_CONNECTION_POOL_URL="postgres://a:b@pool:6432/d")
    assert pooled["JDBC_DATABASE_URL"] == pooled["DATABASE_CONNECTION_POOL_JDBC_URL"] == "jdbc:postgresql://pool:6432/d?user=a&password=b"
    other = jvm_profile(JAWSDB_URL="mysql://a:b@h:3306/d", HEROKU_POSTGRESQL_RED_URL="postgres://c:d@red/e")
    assert other["JDBC_DATABASE_URL"] == "jdbc:mysql://h:3306/d?user=a&password=b"
    assert other["HEROKU_POSTGRESQL_RED_JDBC_USERNAME"] == "c"


def test_what_spring_reads_by_itself():
    told = jvm_profile(REDIS_URL="redis://h", SPRING_REDIS_URL="mine", DATABASE_URL="postgres://a:b@h/d", SPRING_DATASOURCE_USERNAME="me")
    assert (told["SPRING_REDIS_URL"], told["SPRING_DATA_REDIS_URL"]) == ("mine", "redis://h")
    assert "SPRING_DATASOURCE_URL" not in told and told["SPRING_DATASOURCE_USERNAME"] == "me"
    none = jvm_profile(REDIS_URL="redis://h", DATABASE_URL="postgres://a:b@h/d", DISABLE_SPRING_REDIS_URL="true",
                       DISABLE_SPRING_DATASOURCE_URL="true")
    assert not [name for name in none if name.startswith("SPRING_")] and "JDBC_DATABASE_URL" in none


def test_the_apps_own_options_of_java_come_last():
    assert jvm_profile(JAVA_TOOL_OPTIONS="-Xmx99m")["JAVA_TOOL_OPTIONS"].endswith(" -Xmx99m")
