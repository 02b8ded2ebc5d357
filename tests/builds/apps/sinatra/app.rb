# frozen_string_literal: true

require "sinatra/base"
require "hello_c"

class App < Sinatra::Base
  get "/" do
    "#{HelloC.greet}, #{ENV.fetch('RACK_ENV')}, #{ENV.fetch('WEB_CONCURRENCY').to_i.positive?}\n"
  end
end
