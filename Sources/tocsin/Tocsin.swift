import ArgumentParser
import Console
import TocsinConfiguration
import GRDB

@main
struct Tocsin: AsyncParsableCommand {
}
