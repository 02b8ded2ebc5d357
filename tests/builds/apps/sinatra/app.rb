# frozen_string_literal: true

require "sinatra/base"
require "execjs"
require "hello_c"

class App < Sinatra::Base
  get "/" do
    "#{HelloC.greet}, #{ENV.fetch('RACK_ENV')}, #{ENV.fetch('WEB_CONCURRENCY').to_i.positive?}, #{ExecJS.eval('6 * 7')}\n"
  end
end
