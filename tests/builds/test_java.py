"""Maven and Gradle projects: built, run with a heap that fits the dyno, and refused with the line to change."""
import pathlib
import re
import subprocess

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


def test_maven_builds_and_the_second_push_fetches_nothing(skiff):
    app = skiff.app(MAVEN)
    said = accepted(app.push())
    assert "Java app detected" in said and "BUILD SUCCESS" in said, said
    answer = app.get().split("\n\n", 1)[1]
    assert '"greeting":"hello"' in answer, answer
    # A part of the dyno's 512 MB, so that what else a JVM takes has room.
    heap = int(re.search(r'"heap":(\d+)', answer).group(1))
    assert 200 <= heap <= 330, answer
    # Without the network: all that is needed was kept.
    skiff.skiff("config:set", "MAVEN_CUSTOM_OPTS=-DskipTests --offline", "-a", app.name)
    app.write({"src/main/java/shop/Main.java": MAIN.replace('"hello"', '"hello again"')})
    accepted(app.push())
    assert wait_for(lambda: "hello again" in app.get()), app.get()


def test_spring_boot_needs_no_procfile(skiff):
    app = skiff.app({"pom.xml": SPRING_POM, "src/main/java/shop/Shop.java": SPRING_MAIN})
    said = accepted(app.push())
    assert "web: java -Dserver.port=$PORT $JAVA_OPTS -jar target/shop-1.jar" in said, said
    assert "hello from Spring" in app.get()


def test_gradle_without_a_wrapper_runs_its_application(skiff):
    app = skiff.app(GRADLE)
    said = accepted(app.push())
    assert "Gradle app detected" in said and "no Gradle wrapper" in said and "web: build/install/shop/bin/shop" in said, said
    assert '"greeting":"hello"' in app.get()
    skiff.skiff("config:set", "GRADLE_TASK=installDist --offline", "-a", app.name)
    app.write({"src/main/java/shop/Main.java": MAIN.replace('"hello"', '"hello again"')})
    accepted(app.push())
    assert wait_for(lambda: "hello again" in app.get()), app.get()


def test_the_apps_own_wrappers_build(skiff):
    maven = skiff.app({**MAVEN, "mvnw": WRAPPER % "mvn", ".mvn/wrapper/maven-wrapper.properties": "wrapperVersion=3.3.2\n"})
    assert "the wrapper of the app" in accepted(maven.push())
    gradle = skiff.app({**GRADLE, "gradlew": WRAPPER % "gradle", "gradle/wrapper/gradle-wrapper.jar": "a jar",
                        "gradle/wrapper/gradle-wrapper.properties": "distributionUrl=https\\://example.com/gradle-8.5-bin.zip\n"})
    assert "the wrapper of the app" in accepted(gradle.push())


def test_wrappers_that_lack_their_files(skiff):
    app = skiff.app({**MAVEN, "mvnw": WRAPPER % "mvn"})
    refused(app.push(), "git add -f .mvn/wrapper")
    app = skiff.app({**GRADLE, "gradlew": WRAPPER % "gradle"})
    refused(app.push(), "git add -f gradle/wrapper/gradle-wrapper.jar")


def test_another_maven_of_the_registry(skiff):
    app = skiff.app({**MAVEN, "system.properties": "maven.version=newest\n"})
    refused(app.push(), "maven.version=newest is no version")
    app.write({"system.properties": "maven.version=3.0.99\n"})
    refused(app.push(), "system.properties asks for Maven 3.0.99", "Could not find artifact")
    app.write({"system.properties": "maven.version=3.9.9\r\njava.runtime.version=temurin-17\r\n", "pom.xml": "<project>"})
    refused(app.push(), "Fetching Maven 3.9.9", "POM /app/pom.xml")
    assert "Fetching Maven" not in app.push().said  # it was kept


@pytest.mark.parametrize("name, text, words", [
    ("system.properties", "java.runtime.version=21\n", ["system.properties asks for Java 21", "Debian 12 has Java 17"]),
    ("system.properties", "java.runtime.version = 1.8\r\n", ["system.properties asks for Java 1.8", "Debian 12 has Java 17"]),
    ("system.properties", "java.runtime.version=17.0.1\n", ["asks for Java 17.0.1", "the stack has 17.0", ": 17"]),
    (".java-version", "temurin-25\n", [".java-version asks for Java temurin-25"]),
    (".tool-versions", "nodejs 20.1.0\njava openjdk-11.0.2\n", [".tool-versions asks for Java openjdk-11.0.2"]),
])
@pytest.mark.parametrize("files", [MAVEN, GRADLE], ids=["maven", "gradle"])
def test_a_java_that_cannot_be_had(skiff, files, name, text, words):
    refused(skiff.app({**files, name: text}).push(), *words)


def test_what_the_build_says_is_explained(skiff):
    app = skiff.app({**MAVEN, "pom.xml": POM.replace("target>17", "target>99")})
    refused(app.push(), "invalid target release: 99", "wants a newer Java than 17", "pom.xml")
    app.write({"pom.xml": POM.replace("2.10.1", "2.10.1-never")})
    refused(app.push(), "Maven could not get com.google.code.gson:gson:jar:2.10.1-never")
    app.write({"pom.xml": "<project>"})
    refused(app.push(), "POM /app/pom.xml")
    skiff.skiff("config:set", "MAVEN_SETTINGS_PATH=none.xml", "-a", app.name)
    refused(app.push(), "MAVEN_SETTINGS_PATH names none.xml")


def test_gradle_failures_are_explained(skiff):
    app = skiff.app(GRADLE, ["GRADLE_TASK=ship"])
    refused(app.push(), "the build has no task \"ship\"".replace("the", "The", 1), "GRADLE_TASK=<task>")
    skiff.skiff("config:unset", "GRADLE_TASK", "-a", app.name)
    app.write({"build.gradle": GRADLE["build.gradle"].replace("2.10.1", "2.10.1-never")})
    refused(app.push(), "Gradle could not get a dependency")


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


def test_the_apps_own_options_of_java_come_last():
    assert jvm_profile(JAVA_TOOL_OPTIONS="-Xmx99m")["JAVA_TOOL_OPTIONS"].endswith(" -Xmx99m")
